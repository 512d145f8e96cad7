"""The worker's SQL for a data set's samples: entries in, labels from a manifest, findings back."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, collate, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.tables import SampleRow
from app.domain.vocabulary import SampleStatus
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.archives.entry_names import from_here, name_key
from worker.archives.manifest import ManifestRow

BATCH = 1000
MAX_VALUES_BYTES = 1024**2
LISTED: dict[str, Any] = {"code": "listed-by-manifest"}
PENDING: dict[str, Any] = {"code": "pending"}

Item = TypeVar("Item")


def in_batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of ``size`` items, the last one shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def insert_entries(session: Session, dataset_id: UUID, entries: Iterable[ArchiveEntry]) -> None:
    """Every file as a sample that is still to be looked at.

    Raises InputFailure ``archive-duplicate-entry`` for names that some file system would take for one.
    """
    for batch in in_batches(entries, BATCH):
        values = [_entry_values(dataset_id, entry) for entry in batch]
        try:
            # A savepoint of its own, so that there is somebody left to ask whose name it was.
            with session.begin_nested():
                session.execute(insert(SampleRow), values)
        except IntegrityError as error:
            name = _second_of_its_name(session, dataset_id, values)
            raise InputFailure("archive-duplicate-entry", f"Two entries have the name {name[:200]!a}.") from error


def _second_of_its_name(session: Session, dataset_id: UUID, values: Sequence[dict[str, Any]]) -> str:
    keys = [entry["name_key"] for entry in values]
    query = select(SampleRow.name_key).where(SampleRow.dataset_id == dataset_id, SampleRow.name_key.in_(keys))
    taken = set(session.scalars(query))
    for entry in values:
        if entry["name_key"] in taken:
            return str(entry["name"])
        taken.add(entry["name_key"])
    return ""


def _entry_values(dataset_id: UUID, entry: ArchiveEntry) -> dict[str, Any]:
    return {
        "id": new_id(),
        "dataset_id": dataset_id,
        "name": entry.name,
        "name_key": name_key(entry.name),
        "status": SampleStatus.UNREADABLE,
        "problem": PENDING,
        "offset": entry.offset,
        "stored_size": entry.stored_size,
        "size": entry.size,
        "compression": entry.compression,
        "crc32": entry.crc32,
    }


def find_named(session: Session, dataset_id: UUID, keys: Sequence[bytes]) -> str | None:
    """The name of a sample that has one of these name keys."""
    for batch in in_batches(keys, BATCH):
        query = select(SampleRow.name).where(SampleRow.dataset_id == dataset_id, SampleRow.name_key.in_(batch))
        name = session.scalar(query.limit(1))
        if name is not None:
            return name
    return None


def apply_manifest(session: Session, dataset_id: UUID, rows: Iterable[ManifestRow], folder: str) -> None:
    """Keep exactly the listed samples. Raises InputFailure ``manifest-invalid`` naming the line."""
    statement = (
        update(SampleRow)
        .where(
            SampleRow.dataset_id == dataset_id,
            SampleRow.name == bindparam("path"),
            SampleRow.problem["code"].astext == PENDING["code"],
        )
        .values(label=bindparam("new_label"), source=bindparam("new_source"), problem=LISTED)
    )
    connection = session.connection()
    for row in rows:
        values = {
            "path": folder + unicodedata.normalize("NFC", from_here(row.path)),
            "new_label": row.label,
            "new_source": row.source,
        }
        if connection.execute(statement, values).rowcount != 1:
            detail = f"Line {row.line} of the manifest names {row.path[:200]!a}, which is not there or named twice."
            raise InputFailure("manifest-invalid", detail)
    unlisted = SampleRow.problem["code"].astext == PENDING["code"]
    session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset_id, unlisted))


def stream_samples(session: Session, dataset_id: UUID) -> Iterator[SampleRow]:
    """Every sample in the order of its name (by code point), through a server-side cursor."""
    query = select(SampleRow).where(SampleRow.dataset_id == dataset_id).order_by(collate(SampleRow.name, "C"))
    for row in session.execute(query.execution_options(yield_per=BATCH)).scalars():
        session.expunge(row)
        yield row


def save_findings(session: Session, findings: list[dict[str, Any]]) -> None:
    """Update samples by id."""
    session.execute(update(SampleRow), findings)


def distinct_values(session: Session, dataset_id: UUID, column: Any) -> list[str]:
    """Labels or sources of the readable samples, sorted by code point.

    Raises InputFailure ``dataset-too-many-labels`` for more than every answer about the data set should hold.
    """
    query = (
        select(column.label("value"))
        .distinct()
        .where(SampleRow.dataset_id == dataset_id, SampleRow.status == SampleStatus.READY, column.is_not(None))
    )
    taken = session.scalar(select(func.sum(func.octet_length(query.subquery().c.value)))) or 0
    if taken > MAX_VALUES_BYTES:
        detail = f"Its {column.key}s have more than {MAX_VALUES_BYTES} bytes in all: are they not files' names?"
        raise InputFailure("dataset-too-many-labels", detail)
    return sorted(session.scalars(query))


def delete_samples(session: Session, dataset_id: UUID) -> None:
    session.execute(delete(SampleRow).where(SampleRow.dataset_id == dataset_id))
