"""What can be done with data sets; never commits."""

from sqlalchemy.orm import Session

from app.datasets.schemas import DatasetRequest
from app.db.identifiers import new_id
from app.db.references import refuse_while_audited
from app.db.tables import AuditRow, DatasetRow
from app.errors import UnsupportedMediaType
from app.uploads.content import digests_of

_ARCHIVE_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08")
_TAR_MAGIC = slice(257, 262)


def register(session: Session, request: DatasetRequest) -> DatasetRow:
    row = DatasetRow(id=new_id(), name=request.name, extra=request.metadata, labels=[], sources=[], notes=[])
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def check_start(start: bytes) -> None:
    """Raises UnsupportedMediaType for what is no zip, gzip or tar by its first 512 bytes."""
    if not start.startswith(_ARCHIVE_MAGICS) and start[_TAR_MAGIC] != b"ustar":
        raise UnsupportedMediaType("unsupported-media-type", "The content is no zip, tar or tar.gz archive.")


def delete(session: Session, row: DatasetRow) -> set[str]:
    """The blobs that it referred to. Raises Conflict ``dataset-in-use``."""
    refuse_while_audited(session, "data set", AuditRow.dataset_id == row.id)
    session.delete(row)
    session.flush()
    return digests_of(row)
