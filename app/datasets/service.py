"""What can be done with data sets; never commits."""

from sqlalchemy.orm import Session

from app.datasets.repository import user_of
from app.datasets.schemas import DatasetRequest
from app.db.identifiers import new_id
from app.db.tables import DatasetRow
from app.errors import Conflict, UnsupportedMediaType
from app.http.content import digests_of

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
    user = user_of(session, row.id)
    if user:
        raise Conflict("dataset-in-use", f"The {user} refers to the data set; delete that first.")
    session.delete(row)
    session.flush()
    return digests_of(row)
