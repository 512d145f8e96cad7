"""A form with one file in it, as ``curl -F`` and browsers send files; parsed as it arrives, nothing is held."""

import hashlib

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from app.errors import RequestError

FORM = "multipart/form-data"
MAX_BOUNDARY = 70
"""Characters (RFC 2046)."""
MAX_OVERHEAD = 64 * 1024
"""Bytes of a form that are not the file's."""


class FormFile:
    """Raises RequestError ``malformed-multipart`` wherever the form is broken, cut off, or not one file alone."""

    def __init__(self, content_type: str) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary", b"")
        if not 1 <= len(boundary) <= MAX_BOUNDARY:
            raise _malformed(f"its boundary must have 1 to {MAX_BOUNDARY} characters")
        self._parser = MultipartParser(
            boundary,
            {"on_part_begin": self._begin, "on_part_data": self._take, "on_end": self._end},
        )
        self._hash = hashlib.sha256()
        self._found = bytearray()
        self._parts = self._overhead = 0
        self._ended = False

    @property
    def sha256(self) -> bytes:
        """Of the whole form so far, which is what ``Content-Digest`` speaks of."""
        return self._hash.digest()

    def read(self, chunk: bytes) -> bytes:
        """The next part of the body; the file's bytes in it."""
        self._hash.update(chunk)
        self._found.clear()
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise _malformed("it does not keep to its boundary") from error
        self._overhead += len(chunk) - len(self._found)
        if self._overhead > MAX_OVERHEAD:
            raise _malformed("it holds much besides the file")
        return bytes(self._found)

    def close(self) -> None:
        """The body has ended."""
        if not self._ended or not self._parts:
            raise _malformed("its final boundary, or any file, is missing")

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > 1:
            raise _malformed("it must hold one file and nothing else; names and the like go with the first step, POST")

    def _take(self, data: bytes, start: int, end: int) -> None:
        self._found += data[start:end]

    def _end(self) -> None:
        self._ended = True


def _malformed(what: str) -> RequestError:
    return RequestError("malformed-multipart", f"The form cannot be read: {what}. Or send the file itself as the body.")
