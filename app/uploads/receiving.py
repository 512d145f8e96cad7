"""A raw body, or the one file of a form, streamed to the blob store while it is hashed."""

import base64
import binascii
import re
from collections.abc import AsyncIterator, Callable

from anyio import to_thread
from starlette.requests import ClientDisconnect, Request

from app.domain.problems import uploads
from app.errors import TooLarge, Unprocessable, UnsupportedMediaType
from app.http.guards.codings import is_compressed
from app.http.two_steps import TwoSteps
from app.storage.blobs import BlobStore
from app.storage.writing import BlobWriter, StoredBlob
from app.uploads.multipart import FORM, FormFile

BUFFER_BYTES = 1024**2
START_BYTES = 512

_MEMBER = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):\s*(;.*)?")

CheckStart = Callable[[bytes], None]


async def receive_blob(
    request: Request, blobs: BlobStore, max_bytes: int, check_start: CheckStart | None = None
) -> StoredBlob:
    """The request's body as a blob; nothing is left of one that is cut off, too long or not what its digest says.

    ``check_start`` sees the first bytes before the rest is read, and may raise. Raises TooLarge, TooSlow,
    UnsupportedMediaType ``unsupported-content-encoding``, RequestError ``malformed-multipart`` or ``upload-cut-off``,
    Unprocessable ``checksum-mismatch`` or ``empty-body``, InsufficientStorage.
    """
    expected = _expected_digest(request.headers.getlist("content-digest"))
    form = _check_headers(request, max_bytes)
    with await to_thread.run_sync(blobs.writer, max_bytes) as writer:
        # Of a form, its structure is judged before the file in it, unless that is long.
        start = START_BYTES if form is None else BUFFER_BYTES
        await _receive(_file_bytes(request, form), writer, _checks(request, check_start), start)
        if not writer.size:
            raise uploads.EMPTY.error()
        if expected is not None and (form or writer).sha256 != expected:
            raise uploads.CHECKSUM_MISMATCH.error()
        return await to_thread.run_sync(writer.commit)


def _check_headers(request: Request, max_bytes: int) -> FormFile | None:
    """What will find the file, where a form comes."""
    headers = request.headers
    if is_compressed(headers):
        raise UnsupportedMediaType("unsupported-content-encoding", "Send the bytes as they are, uncompressed.")
    kind = headers.get("content-type", "")
    if int(headers.get("content-length", "0")) > max_bytes:
        raise TooLarge("payload-too-large", f"The body exceeds the limit of {max_bytes} bytes.")
    if not kind.lower().startswith("multipart/"):
        return None
    if kind.partition(";")[0].strip().lower() != FORM:
        raise UnsupportedMediaType("unsupported-media-type", f"Send the file itself as the body, or {FORM}.")
    return FormFile(kind)


def _checks(request: Request, check_start: CheckStart | None) -> CheckStart:
    """A description that came to the file's address is told both steps, whatever else the start is checked for."""

    def check(start: bytes) -> None:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json" and start.lstrip()[:1] in {b"{", b"["}:
            two_steps: TwoSteps = request.app.state.two_steps
            detail = f"This is the file's address.{two_steps.told(request.scope['path'])}"
            raise UnsupportedMediaType("unsupported-media-type", detail)
        if check_start is not None:
            check_start(start)

    return check


async def _file_bytes(request: Request, form: FormFile | None) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk if form is None else form.read(chunk)
    if form is not None:
        form.close()


async def _receive(
    chunks: AsyncIterator[bytes], writer: BlobWriter, check_start: CheckStart | None, start_bytes: int
) -> None:
    """A thread a mebibyte: hashing and writing must not hold up other requests."""
    buffer = bytearray()
    try:
        async for chunk in chunks:
            buffer += chunk
            if check_start is not None and len(buffer) >= start_bytes:
                check_start(bytes(buffer[:START_BYTES]))
                check_start = None
            if len(buffer) >= BUFFER_BYTES:
                await to_thread.run_sync(writer.write, bytes(buffer))
                buffer.clear()
    except ClientDisconnect as error:
        raise uploads.CUT_OFF.error() from error
    if check_start is not None and buffer:
        check_start(bytes(buffer[:START_BYTES]))
    await to_thread.run_sync(writer.write, bytes(buffer))


def _expected_digest(lines: list[str]) -> bytes | None:
    """SHA-256 of RFC 9530's ``Content-Digest``; other algorithms are ignored, as the RFC asks."""
    found: bytes | None = None
    for text in ",".join(lines).split(",") if lines else ():
        member = _MEMBER.fullmatch(text)
        if member is None:
            raise uploads.MALFORMED_DIGEST.error()
        if member[1] == "sha-256":
            found = _decoded(member[2])
    return found


def _decoded(text: str) -> bytes:
    try:
        digest = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise Unprocessable("malformed-digest", "Content-Digest is not Base64.") from error
    if len(digest) != 32:
        raise Unprocessable("malformed-digest", "Content-Digest holds no SHA-256.")
    return digest
