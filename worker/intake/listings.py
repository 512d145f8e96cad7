"""Samples of a listing, whose images nobody looks at before an audit does."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import collate, select
from sqlalchemy.orm import Session

from app.db.tables import DatasetObjectRow, SampleRow
from app.imaging.entries import ArchiveEntry
from app.imaging.kinds import EXTENSIONS
from app.sources.addresses import object_at, start_of
from worker.intake.samples import BATCH, Told


class Unlisted(NamedTuple):
    """A sample of which no table tells."""

    id: UUID
    name: str


def listed_entries(session: Session, dataset_id: UUID) -> Iterator[ArchiveEntry]:
    """Every object of a listing as an entry, in the order in which they were listed.

    By no cursor: whoever refuses an entry rolls back to before it was opened.
    """
    row, following = DatasetObjectRow, 0
    query = select(row.number, row.key, row.size).where(row.dataset_id == dataset_id).order_by(row.number).limit(BATCH)
    while found := session.execute(query.where(row.number >= following)).all():
        yield from (ArchiveEntry(key, start_of(number), size, size) for number, key, size in found)
        following = found[-1].number + 1


def pins_of(session: Session, dataset_id: UUID, samples: Sequence[Told]) -> dict[UUID, bytes]:
    """What tells the objects of a listing from all others, by the ids of these samples of theirs."""
    numbers = {sample.id: object_at(sample.offset)[0] for sample in samples}
    row = DatasetObjectRow
    query = select(row.number, row.pin).where(row.dataset_id == dataset_id, row.number.in_(numbers.values()))
    pins = {number: pin for number, pin in session.execute(query)}  # noqa: C416 - dict() has no type
    return {sample_id: pins[number].encode() for sample_id, number in numbers.items() if number in pins}


def stream_unlisted(session: Session, dataset_id: UUID, *, every: bool) -> Iterator[Unlisted]:
    """Samples that no table tells of: every one, or those that are no images by their names; as `stream_samples`."""
    query = select(SampleRow.id, SampleRow.name).where(SampleRow.dataset_id == dataset_id, SampleRow.groups.is_(None))
    if not every:
        query = query.where(~SampleRow.name.regexp_match(rf"\.({'|'.join(EXTENSIONS)})$", flags="i"))
    ordered = query.order_by(collate(SampleRow.name, "C")).execution_options(yield_per=BATCH)
    yield from (Unlisted(*row) for row in session.execute(ordered))
