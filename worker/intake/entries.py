"""An upload's files become samples that are still to be looked at."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from app.db.identifiers import new_id
from app.db.tables import SampleRow
from app.domain.vocabulary import SampleStatus
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.archives.entry_names import name_key
from worker.intake.samples import BATCH, in_batches

PENDING: dict[str, Any] = {"code": "pending"}
LINKED: dict[str, Any] = {"code": "hard-link"}

# One statement a batch takes a fifth of the time of one a sample.
_INSERT_ENTRIES = text(
    'INSERT INTO samples (dataset_id, id, name, name_key, status, problem, "offset", stored_size, size, compression,'
    " crc32) SELECT :dataset_id, id, name, name_key, status, CAST(problem AS jsonb), place, stored_size, size,"
    " compression, crc32 FROM unnest(CAST(:id AS uuid[]), CAST(:name AS text[]), CAST(:name_key AS bytea[]),"
    " CAST(:status AS text[]), CAST(:problem AS text[]), CAST(:offset AS bigint[]), CAST(:stored_size AS bigint[]),"
    " CAST(:size AS bigint[]), CAST(:compression AS smallint[]), CAST(:crc32 AS bigint[]))"
    " AS entry (id, name, name_key, status, problem, place, stored_size, size, compression, crc32)"
)


def insert_entries(
    session: Session, dataset_id: UUID, entries: Iterable[ArchiveEntry], *, is_listed: bool = False
) -> None:
    """Every file as a sample that is still to be looked at, of a listing by whoever audits it; or whose fault is known.

    Raises InputFailure ``archive-duplicate-entry`` for two of one name.
    """
    for batch in in_batches(entries, BATCH):
        values = [_entry_values(entry, is_listed=is_listed) for entry in batch]
        arrays = {name: [value[name] for value in values] for name in values[0]}
        arrays["problem"] = [None if one is None else json.dumps(one) for one in arrays["problem"]]
        try:
            # A savepoint of its own, so that there is somebody left to ask whose name it was.
            with session.begin_nested():
                session.execute(_INSERT_ENTRIES, {"dataset_id": dataset_id, **arrays})
        except IntegrityError as error:
            name = _second_of_its_name(session, dataset_id, values)
            detail = f"Two entries have the name {name[:200]!a}: pack the folder anew, without appending."
            raise InputFailure("archive-duplicate-entry", detail) from error


def insert_told(session: Session, dataset_id: UUID, entry: ArchiveEntry, told: Mapping[str, Any]) -> None:
    """A sample that only a table has, and what it says."""
    values = _entry_values(entry, is_listed=False) | {"dataset_id": dataset_id, **told}
    session.execute(insert(SampleRow), [values])


def _second_of_its_name(session: Session, dataset_id: UUID, values: Sequence[dict[str, Any]]) -> str:
    keys = [entry["name_key"] for entry in values]
    query = select(SampleRow.name_key).where(SampleRow.dataset_id == dataset_id, SampleRow.name_key.in_(keys))
    taken = set(session.scalars(query))
    for entry in values:
        if entry["name_key"] in taken:
            return str(entry["name"])
        taken.add(entry["name_key"])
    return ""


def _entry_values(entry: ArchiveEntry, *, is_listed: bool) -> dict[str, Any]:
    problem = PENDING if entry.same_as is None else LINKED
    status = SampleStatus.UNEXAMINED if is_listed and entry.fault is None else SampleStatus.UNREADABLE
    if entry.fault is not None:
        problem = entry.fault._asdict()
    return {
        "id": new_id(),
        "name": entry.name,
        "name_key": name_key(entry.name),
        "status": status,
        "problem": None if status is SampleStatus.UNEXAMINED else problem,
        "offset": entry.offset,
        "stored_size": entry.stored_size,
        "size": entry.size,
        "compression": entry.compression,
        "crc32": entry.crc32,
    }


def link_entries(session: Session, dataset_id: UUID, links: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Let hard links be the entries that they are again; yields the names of those that lead nowhere."""
    there = aliased(SampleRow)
    same = ("offset", "stored_size", "size", "compression", "crc32", "problem")
    statement = (
        update(SampleRow)
        .where(SampleRow.dataset_id == dataset_id, SampleRow.name_key == bindparam("own"))
        .where(there.dataset_id == SampleRow.dataset_id, there.name_key == bindparam("target"))
        .values({name: getattr(there, name) for name in same})
        .execution_options(synchronize_session=False)
    )
    connection = session.connection()
    for name, target in links:
        if connection.execute(statement, {"own": name_key(name), "target": name_key(target)}).rowcount != 1:
            yield name
    unlinked = SampleRow.problem["code"].astext == LINKED["code"]
    session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset_id, unlinked))
