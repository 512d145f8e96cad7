"""The content of an uploaded resource: when it may be put, and what happens to it then."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from app.db.references import unused_digests
from app.db.session import transaction
from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from app.errors import Conflict, RequestError
from app.storage.blobs import BlobStore, StoredBlob

OPEN = (ResourceStatus.AWAITING_CONTENT, ResourceStatus.REJECTED)


def check_open(row: ModelRow | DatasetRow) -> None:
    """Raises Conflict ``content-already-set`` where content was accepted."""
    if row.status not in OPEN:
        raise Conflict("content-already-set", "The content is there and cannot be replaced; register a new resource.")


def accept(row: ModelRow | DatasetRow, blob: StoredBlob) -> bool:
    """From now on the worker looks at it; False where the very same content is there already.

    Raises Conflict where other content was accepted meanwhile.
    """
    if row.status not in OPEN and row.content_digest == blob.digest:
        return False
    check_open(row)
    row.content_digest, row.content_size = blob.digest, blob.size
    row.status, row.problem = ResourceStatus.VALIDATING, None
    return True


@contextmanager
def discarding(engine: Engine, blobs: BlobStore, blob: StoredBlob) -> Iterator[None]:
    """A blob that the block refuses is deleted, unless another resource refers to it."""
    try:
        yield
    except RequestError:
        with transaction(engine) as session:
            unused = unused_digests(session, {blob.digest})
        for digest in unused:
            blobs.delete(digest)
        raise
