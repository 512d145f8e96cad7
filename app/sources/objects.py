"""The rows of a listing, and what they take of their tenant's quota."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.db.tables import DatasetImportRow, DatasetObjectRow
from app.errors import EgressFailure, QuotaExceeded
from app.registries.listed import Listed, check_listed
from app.settings import MEBIBYTE, Settings
from app.sources.addresses import MOST_OBJECTS

COPIED = "copied_because"
"""In ``within`` of an import: why what was to stay where it is did not."""
ROW_BYTES = 800
"""What the rows of an object take in the database beside its names (docs/scaling.md)."""
QUOTA_STEP_BYTES = 16 * MEBIBYTE
"""Of rows, some 17,000 objects: as much as a listing may go beyond its tenant's quota before it is refused."""
# In one statement, since COPY does not speak with row security.
_INSERT = text(
    "INSERT INTO dataset_objects (tenant_id, dataset_id, number, key, pin, size, container, begin, crc32, content)"
    " SELECT :tenant_id, :dataset_id, number, key, pin, size, container, place, crc32, content"
    " FROM unnest(CAST(:number AS integer[]), CAST(:key AS text[]), CAST(:pin AS text[]), CAST(:size AS bigint[]),"
    " CAST(:container AS integer[]), CAST(:begin AS bigint[]), CAST(:crc32 AS bigint[]), CAST(:content AS bytea[]))"
    " AS listed (number, key, pin, size, container, place, crc32, content)"
)
_KEEP = text(
    "UPDATE dataset_objects SET content = kept.content"
    " FROM unnest(CAST(:number AS integer[]), CAST(:content AS bytea[])) AS kept (number, content)"
    " WHERE dataset_id = :dataset_id AND dataset_objects.number = kept.number"
)


class NewObject(NamedTuple):
    """A row to be: an object of its own with its pin, or one that lies within another (``DatasetObjectRow``)."""

    key: str
    size: int
    pin: str = ""
    container: int | None = None
    begin: int | None = None
    crc32: int | None = None
    content: bytes | None = None

    @property
    def row_bytes(self) -> int:
        """Its name stands in two rows, the pin in one of them."""
        return ROW_BYTES + 2 * len(self.key.encode()) + len(self.pin.encode()) + len(self.content or b"")


def add_objects(session: Session, row: DatasetImportRow, objects: Sequence[NewObject], settings: Settings) -> None:
    """The session is the tenant's. Raises EgressFailure for what no store has, or for too many; and QuotaExceeded.

    All that a tenant has is added up now and then: whoever adds the last of them calls `check_quota`.
    """
    for one in objects:
        check_listed(Listed(one.key, one.pin, one.size))
    columns = {name: [getattr(one, name) for one in objects] for name in NewObject._fields}
    numbers = list(range(row.listed, row.listed + len(objects)))
    owner = {"tenant_id": row.tenant_id, "dataset_id": row.dataset_id}
    session.execute(_INSERT, {**owner, "number": numbers, **columns})
    before = row.listed_bytes
    row.listed += len(objects)
    row.listed_bytes += sum(one.row_bytes for one in objects)
    most = min(settings.max_entries, MOST_OBJECTS)
    if row.listed > most:
        detail = f"The folder has more than {most} files (MAX_ENTRIES): import it in parts."
        raise EgressFailure("answer-too-large", detail)
    if row.listed_bytes // QUOTA_STEP_BYTES > before // QUOTA_STEP_BYTES:
        check_quota(session, row, settings)


def copy_instead(session: Session, row: DatasetImportRow, why: str) -> None:
    """What was listed is forgotten; the data set's notes will say why."""
    forget_listing(session, row)
    row.by_reference, row.within = False, {COPIED: why}


def forget_listing(session: Session, row: DatasetImportRow) -> None:
    """All of it, which then counts against no quota."""
    session.execute(delete(DatasetObjectRow).where(DatasetObjectRow.dataset_id == row.dataset_id))
    row.listed, row.listed_bytes, row.cursor, row.opened, row.within = 0, 0, None, 0, None


def forget_within(session: Session, row: DatasetImportRow, container: int) -> None:
    """What was noted of one object, by a worker that did not come to its end: the last rows that there are."""
    found = DatasetObjectRow
    here = (found.dataset_id == row.dataset_id, found.container == container)
    count, taken = session.execute(select(func.count(), func.coalesce(func.sum(_row_bytes()), 0)).where(*here)).one()
    if count:
        session.execute(delete(found).where(*here))
        row.listed, row.listed_bytes = row.listed - count, row.listed_bytes - int(taken)


def keep_contents(session: Session, row: DatasetImportRow, contents: Mapping[int, bytes], settings: Settings) -> None:
    """Of texts, by their numbers, until they have said what they say. Raises QuotaExceeded."""
    columns = {"number": list(contents), "content": list(contents.values())}
    session.execute(_KEEP, {"dataset_id": row.dataset_id, **columns})
    row.listed_bytes += sum(map(len, contents.values()))
    check_quota(session, row, settings)


def drop_contents(session: Session, row: DatasetImportRow) -> None:
    """Of texts, once they have said what they say."""
    found = DatasetObjectRow
    here = (found.dataset_id == row.dataset_id, found.content.is_not(None))
    taken = session.scalar(select(func.coalesce(func.sum(func.octet_length(found.content)), 0)).where(*here))
    session.execute(update(found).where(*here).values(content=None).execution_options(synchronize_session=False))
    row.listed_bytes -= int(taken or 0)


def _row_bytes() -> ColumnElement[int]:
    """As `NewObject` counts them."""
    found = DatasetObjectRow
    content = func.coalesce(func.octet_length(found.content), 0)
    return ROW_BYTES + 2 * func.octet_length(found.key) + func.octet_length(found.pin) + content


def check_quota(session: Session, row: DatasetImportRow, settings: Settings) -> None:
    """Raises QuotaExceeded, which says what may be done."""
    session.flush()
    try:
        check_bytes(session, settings)
    except QuotaExceeded as failure:
        way_out = "list a smaller folder, delete data sets, or let the operator raise the tenant's limit"
        words = f"What is listed counts with its rows, and {row.listed} files are too many: {way_out}."
        detail = f"{failure.detail} {words}"
        raise QuotaExceeded(detail) from failure
