"""What the tests put into a store."""

from app.storage.blobs import BlobStore


def put(blobs: BlobStore, content: bytes) -> str:
    """Its digest."""
    with blobs.writer(len(content)) as writer:
        writer.write(content)
        return writer.commit().digest
