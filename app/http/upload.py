"""A raw body, streamed to the blob store while it is hashed."""

import base64
import binascii
import re

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from app.errors import RequestError, TooLarge, Unprocessable, UnsupportedMediaType
from app.storage.blobs import BlobStore, BlobWriter, StoredBlob

BUFFER_BYTES = 1024**2

_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):")


async def receive_blob(request: Request, blobs: BlobStore, max_bytes: int) -> StoredBlob:
    """The request's body as a blob; nothing is left of one that is cut off, too long or not what its digest says.

    Raises TooLarge, UnsupportedMediaType ``unsupported-content-encoding``, Unprocessable ``checksum-mismatch`` or
    ``empty-body``, InsufficientStorage.
    """
    expected = _expected_digest(request.headers.get("content-digest"))
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("unsupported-content-encoding", "Send the bytes as they are, uncompressed.")
    if int(request.headers.get("content-length", "0")) > max_bytes:
        raise TooLarge("payload-too-large", f"The body exceeds the limit of {max_bytes} bytes.")
    with await to_thread.run_sync(blobs.writer, max_bytes) as writer:
        await _receive(request, writer)
        if not writer.size:
            raise Unprocessable("empty-body", "The body is empty.")
        if expected is not None and writer.sha256 != expected:
            raise Unprocessable("checksum-mismatch", "The body's SHA-256 is not the one in Content-Digest.")
        return await to_thread.run_sync(writer.commit)


async def _receive(request: Request, writer: BlobWriter) -> None:
    """A thread a mebibyte: hashing and writing must not hold up other requests."""
    buffer = bytearray()
    try:
        async for chunk in request.stream():
            buffer += chunk
            if len(buffer) >= BUFFER_BYTES:
                await to_thread.run_sync(writer.write, bytes(buffer))
                buffer.clear()
    except ClientDisconnect as error:
        raise RequestError("upload-cut-off", "The body ended before its length.") from error
    await to_thread.run_sync(writer.write, bytes(buffer))


def _expected_digest(header: str | None) -> bytes | None:
    """SHA-256 of RFC 9530's ``Content-Digest``; other algorithms are ignored, as the RFC asks."""
    if header is None:
        return None
    found = _SHA256.search(header)
    if found is None:
        if "sha-256=" in header:
            raise Unprocessable("malformed-digest", "Content-Digest is not of the form sha-256=:BASE64:.")
        return None
    try:
        digest = base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise Unprocessable("malformed-digest", "Content-Digest is not Base64.") from error
    if len(digest) != 32:
        raise Unprocessable("malformed-digest", "Content-Digest holds no SHA-256.")
    return digest
