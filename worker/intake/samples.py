"""The worker's SQL for a data set's samples: found, labelled, streamed, told what was found."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, collate, delete, select, text, update
from sqlalchemy.orm import Session

from app.db.tables import SampleRow
from app.domain.vocabulary import SampleStatus
from app.imaging.kinds import EXTENSIONS
from worker.archives.entry_names import name_key

BATCH = 1000
Item = TypeVar("Item")


class Told(NamedTuple):
    """What a table and whoever looked at it told of a sample."""

    id: UUID
    name: str
    status: SampleStatus
    label: str | None
    source: str | None
    split: str | None
    cluster: str | None
    groups: dict[str, str] | None
    content_sha256: bytes | None
    offset: int


class Settled(NamedTuple):
    """Where a sample comes, and what it belongs to."""

    id: UUID
    position: int | None
    split: str | None
    label: str | None
    source: str | None


_SAVE_PLACES = text(
    "UPDATE samples SET position = to_be.position, split = to_be.split, label = to_be.label, source = to_be.source"
    " FROM unnest(CAST(:id AS uuid[]), CAST(:position AS integer[]), CAST(:split AS text[]), CAST(:label AS text[]),"
    " CAST(:source AS text[])) AS to_be (id, position, split, label, source) WHERE samples.id = to_be.id"
)


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def find_named(session: Session, dataset_id: UUID, keys: Sequence[bytes]) -> str | None:
    """The name of a sample that has one of these name keys."""
    for batch in in_batches(keys, BATCH):
        query = select(SampleRow.name).where(SampleRow.dataset_id == dataset_id, SampleRow.name_key.in_(batch))
        name = session.scalar(query.limit(1))
        if name is not None:
            return name
    return None


def is_there(session: Session, dataset_id: UUID, name: str) -> bool:
    return find_named(session, dataset_id, [name_key(name)]) is not None


def folders_ending(session: Session, dataset_id: UUID, path: str) -> list[str]:
    """The folders, at most two, in which a sample of this relative path lies."""
    ending = "%/" + path.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    query = select(SampleRow.name).where(SampleRow.dataset_id == dataset_id, SampleRow.name.like(ending)).limit(2)
    return [name.removesuffix(path) for name in session.scalars(query)]


def label_sample(session: Session, dataset_id: UUID, name: str, values: dict[str, Any]) -> bool:
    """Note what a table says of a sample, ``groups`` among it; False where there is none, or it was noted before."""
    statement = (
        update(SampleRow)
        .where(
            SampleRow.dataset_id == dataset_id,
            SampleRow.name_key == name_key(name),
            SampleRow.groups.is_(None),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def is_image_name() -> ColumnElement[bool]:
    """Whether a sample's name is an image's."""
    return SampleRow.name.regexp_match(rf"\.({'|'.join(EXTENSIONS)})$", flags="i")


def delete_named(session: Session, dataset_id: UUID, names: Sequence[str]) -> None:
    keys = [name_key(name) for name in names]
    session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset_id, SampleRow.name_key.in_(keys)))


def stream_samples(session: Session, dataset_id: UUID) -> Iterator[SampleRow]:
    """Every sample in the order of its name (by code point), through a server-side cursor."""
    return _streamed(session, select(SampleRow).where(SampleRow.dataset_id == dataset_id))


def _streamed(session: Session, query: Select[SampleRow]) -> Iterator[SampleRow]:
    ordered = query.order_by(collate(SampleRow.name, "C")).execution_options(yield_per=BATCH)
    for row in session.execute(ordered).scalars():
        session.expunge(row)
        yield row


def stream_told(session: Session, dataset_id: UUID) -> Iterator[Told]:
    """What was told of every sample; as `stream_samples`."""
    columns = [getattr(SampleRow, name) for name in Told._fields]
    query = select(*columns).where(SampleRow.dataset_id == dataset_id).order_by(collate(SampleRow.name, "C"))
    yield from (Told(*row) for row in session.execute(query.execution_options(yield_per=BATCH)))


def save_places(session: Session, places: Sequence[Settled]) -> None:
    """By id."""
    arrays = dict(zip(Settled._fields, map(list, zip(*places, strict=True)), strict=True))
    if arrays:
        session.execute(_SAVE_PLACES, arrays)


def save_findings(session: Session, findings: list[dict[str, Any]]) -> None:
    """Update samples by id."""
    if findings:
        session.execute(update(SampleRow), findings)


def delete_by_id(session: Session, ids: Sequence[UUID]) -> None:
    if ids:
        session.execute(delete(SampleRow).where(SampleRow.id.in_(ids)))


def delete_samples(session: Session, dataset_id: UUID) -> None:
    session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset_id))
