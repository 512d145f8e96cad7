"""Samples of a listing, whose images nobody looks at before an audit does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import collate, select
from sqlalchemy.orm import Session

from app.db.tables import DatasetObjectRow, SampleRow
from app.imaging.entries import ArchiveEntry, Ranges
from app.sources.addresses import listed_dataset, object_at, start_of
from worker.intake.samples import BATCH, Told, is_image_name


class Unlisted(NamedTuple):
    """A sample of which no table tells."""

    id: UUID
    name: str


def listed_entries(session: Session, dataset_id: UUID, *, within: bool) -> Iterator[ArchiveEntry]:
    """Every object of a listing as an entry, in the order in which they were listed; or what lies ``within`` them.

    By no cursor: whoever refuses an entry rolls back to before it was opened.
    """
    row, following = DatasetObjectRow, 0
    is_kept = row.content.is_not(None).label("is_kept")
    query = select(row.number, row.key, row.size, row.container, row.begin, row.crc32, is_kept)
    query = query.where(row.dataset_id == dataset_id).order_by(row.number).limit(BATCH)
    query = query.where(row.container.is_not(None) if within else row.container.is_(None))
    while found := session.execute(query.where(row.number >= following)).all():
        for one in found:
            has_place = one.container is not None and not one.is_kept  # a text is kept at its own number
            offset = start_of(one.container) + one.begin if has_place else start_of(one.number)
            yield ArchiveEntry(one.key, offset, one.size, one.size, crc32=one.crc32)
        following = found[-1].number + 1


@dataclass(frozen=True)
class TextsAndElsewhere:
    """Ranges of a listing: of the texts that were kept out of the database, of all else from where they lie."""

    session: Session
    elsewhere: Ranges

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """Raises InputFailure and TransientFailure."""
        dataset_id, (number, within) = listed_dataset(digest), object_at(offset)
        row = DatasetObjectRow
        query = select(row.content).where(row.dataset_id == dataset_id, row.number == number)
        content = None if dataset_id is None else self.session.scalar(query)
        return self.elsewhere.read_range(digest, offset, length) if content is None else content[within:][:length]


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
        query = query.where(~is_image_name())
    ordered = query.order_by(collate(SampleRow.name, "C")).execution_options(yield_per=BATCH)
    yield from (Unlisted(*row) for row in session.execute(ordered))
