"""The objects of a listing as a worker goes through them: in the order of their numbers, and never all at once."""

from collections.abc import Iterator
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, select

from app.db.session import transaction
from app.db.tables import DatasetObjectRow
from app.imaging.kinds import promised_kind
from app.registries.listed import Listed
from worker.archives.entry_names import from_here
from worker.archives.skipping import ARCHIVE, reason_to_skip

BATCH = 1000
Kind = Literal["tables", "tars"]
KINDS: tuple[Kind, ...] = ("tables", "tars")
"""Where a listing has both, it is of the first."""


class CopyInstead(Exception):
    """What is listed cannot be read where it lies; a copy can. The text says why."""


class Numbered(NamedTuple):
    """An object and its number."""

    number: int
    listed: Listed


def own_objects(
    engine: Engine, dataset_id: UUID, first: int = 0, *, wanted: ColumnElement[bool] | None = None
) -> Iterator[list[Numbered]]:
    """From that number on, what lies in no other object; no transaction is open between two batches."""
    row = DatasetObjectRow
    query = select(row).where(row.dataset_id == dataset_id, row.container.is_(None)).order_by(row.number).limit(BATCH)
    if wanted is not None:
        query = query.where(wanted)
    while True:
        with transaction(engine) as session:
            found = session.scalars(query.where(row.number >= first)).all()
        if not found:
            return
        yield [Numbered(one.number, Listed(one.key, one.pin, one.size)) for one in found]
        first = found[-1].number + 1


def kind_within(key: str) -> Kind | None:
    """What an object holds others as, by its name; None of one that holds none, or that nobody means."""
    name = from_here(key)
    reason, ending = reason_to_skip(name), name.casefold().rpartition(".")[2]
    if reason == ARCHIVE and ending == "tar":
        return "tars"
    return "tables" if reason is None and ending == "parquet" else None


def kind_of_listing(engine: Engine, dataset_id: UUID) -> Kind | None:
    """What its objects hold images as, by their names; None of a folder of images, or of nothing."""
    found = set[Kind]()
    for batch in own_objects(engine, dataset_id):
        for _, listed in batch:
            kind = kind_within(listed.key)
            if kind is not None:
                found.add(kind)
            elif reason_to_skip(from_here(listed.key)) is None and promised_kind(listed.key) is not None:
                return None
    return next((kind for kind in KINDS if kind in found), None)
