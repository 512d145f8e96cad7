"""What can be done with data sets; never commits."""

from sqlalchemy.orm import Session

from app.datasets.repository import is_used
from app.datasets.schemas import DatasetRequest
from app.db.identifiers import new_id
from app.db.tables import DatasetRow
from app.errors import Conflict, UnsupportedMediaType
from app.storage.blobs import BlobStore, StoredBlob

_ARCHIVE_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08")
_TAR_MAGIC = slice(257, 262)


def register(session: Session, request: DatasetRequest) -> DatasetRow:
    row = DatasetRow(id=new_id(), name=request.name, extra=request.metadata, labels=[], sources=[], notes=[])
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def check_kind(blobs: BlobStore, blob: StoredBlob) -> None:
    """Raises UnsupportedMediaType for what is no zip, gzip or tar by its first bytes."""
    start = blobs.read_range(blob.digest, 0, 512)
    if not start.startswith(_ARCHIVE_MAGICS) and start[_TAR_MAGIC] != b"ustar":
        raise UnsupportedMediaType("unsupported-media-type", "The content is no zip, tar or tar.gz archive.")


def delete(session: Session, row: DatasetRow) -> set[str]:
    """The digests that it referred to. Raises Conflict ``dataset-in-use``."""
    if is_used(session, row.id):
        raise Conflict("dataset-in-use", "An audit refers to the data set; delete that first.")
    session.delete(row)
    session.flush()
    return {digest for digest in (row.content_digest, row.stored_digest) if digest}
