"""The content of an uploaded resource: when it may be put, and what happens to it then."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.locking import lock_digests
from app.db.references import unused_digests
from app.db.session import TenantEngine, transaction
from app.db.tables import DatasetRow, MapSetRow, ModelRow
from app.domain.problems import uploads
from app.domain.vocabulary import SCHEME, ResourceStatus
from app.errors import RequestError, TransientFailure
from app.storage.blobs import BlobStore
from app.storage.writing import StoredBlob

Uploadable = ModelRow | DatasetRow | MapSetRow
OPEN = (ResourceStatus.AWAITING_CONTENT, ResourceStatus.REJECTED)


def check_open(row: Uploadable) -> None:
    """Raises Conflict ``content-already-set`` where content was accepted."""
    if row.status not in OPEN:
        raise uploads.ALREADY_SET.error()


def accept(row: Uploadable, blob: StoredBlob) -> bool:
    """From now on the worker looks at it; False where the very same content is there already.

    Raises Conflict where other content was accepted meanwhile.
    """
    if row.status not in OPEN and row.content_digest == blob.digest:
        return False
    check_open(row)
    row.content_digest, row.content_size, row.stored_digest = blob.digest, blob.size, None
    row.status, row.problem = ResourceStatus.VALIDATING, None
    return True


@contextmanager
def taking_over(tenant: TenantEngine, blobs: BlobStore, blob: StoredBlob) -> Iterator[Session]:
    """The tenant's transaction in which a row comes to refer to the blob; a blob that the block refuses is deleted.

    Raises TransientFailure where the blob was deleted with its last owner just before.
    """
    try:
        with transaction(tenant) as session:
            lock_digests(session, {blob.digest})
            if not blobs.exists(blob.digest):
                raise TransientFailure("storage-unavailable", "The content was deleted meanwhile; send it again.")
            yield session
    except RequestError:
        delete_unused(tenant.engine, blobs, {blob.digest})
        raise


def delete_unused(engine: Engine, blobs: BlobStore, digests: set[str]) -> None:
    """Delete those of the blobs that no resource of any tenant refers to; after the commit that let go of them."""
    with transaction(engine) as session:
        lock_digests(session, digests)
        unused = unused_digests(session, digests)
        for digest in digests:
            # As long for a blob that stays, or the time would tell that another tenant has the same bytes.
            blobs.delete(digest if digest in unused else _nobodys_digest())


def _nobodys_digest() -> str:
    return f"{SCHEME}{secrets.token_hex(32)}"


def digests_of(row: Uploadable) -> set[str]:
    """The blobs that a resource refers to."""
    reference = row.reference_digest if isinstance(row, ModelRow) else None
    digests = (row.content_digest, row.stored_digest, reference)
    return {digest for digest in digests if digest and digest.startswith(SCHEME)}
