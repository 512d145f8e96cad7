"""What came back from an address that a tenant chose."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpcore

from app.domain.stored_text import UNSTORABLE, is_storable_json
from app.errors import EgressFailure

Headers = dict[str, str]
"""Names in small letters."""
GoOn = Callable[[Mapping[str, str]], httpcore.Response]
"""Asks again, with these headers as well. Raises EgressFailure."""
MAX_GOES_ON = 5
"""How often a download that breaks off goes on."""
_BROKEN = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


@dataclass(frozen=True)
class Answer:
    """One that was read whole; its body is for programs of ours, never for a tenant to see."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """Raises EgressFailure."""
        try:
            told = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise malformed("it is no JSON") from error
        if not is_storable_json(told):
            raise malformed(f"it holds {UNSTORABLE}")
        return told


class Begun(NamedTuple):
    """The beginning of a file, which is here already."""

    size: int
    tag: str
    """The ETag with which it came; empty: none."""


class Download:
    """One that is read in pieces, up to ``most_bytes`` in all."""

    def __init__(
        self, response: httpcore.Response, most_bytes: int, go_on: GoOn | None = None, behind: int = 0
    ) -> None:
        """``behind`` so many bytes, which were asked for.

        Raises EgressFailure where the answer says that it is larger, or is compressed without being asked.
        """
        self.status = response.status
        self.headers = headers_of(response)
        self._response = response
        self._most = most_bytes
        self._go_on = go_on
        self.begins_at = behind if _is_behind(response, behind) else 0
        """How many bytes it leaves out; 0 where the server sends no part, and all of it comes."""
        if behind and self.status == 206 and not self.begins_at:
            raise malformed("it sends another part than was asked for")
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise malformed("it is compressed, though that was not asked for")
        if (self.size or 0) > most_bytes:
            raise self._too_large()

    @property
    def size(self) -> int | None:
        """Of the whole, as the answer says it; None where it does not."""
        length = self.headers.get("content-length", "")
        return self.begins_at + int(length) if length.isascii() and length.isdecimal() else None

    @property
    def tag(self) -> str:
        """The ETag, where it is one of these very bytes; else empty."""
        tag = self.headers.get("etag", "")
        return tag if tag.startswith('"') else ""

    def pieces(self) -> Iterator[bytes]:
        """Raises EgressFailure as soon as there are more bytes than may be."""
        size, left, response = self.begins_at, MAX_GOES_ON, self._response
        while True:
            begun = size
            try:
                for piece in response.iter_stream():
                    size += len(piece)
                    if size > self._most:
                        raise self._too_large()
                    yield piece
            except _BROKEN:
                rest = self._rest(size) if left and size > begun else None
                if rest is None:
                    raise
                response, left = rest, left - 1
            else:
                return

    def _rest(self, size: int) -> httpcore.Response | None:
        """What follows those bytes, of the very same file; None where the server does not say that it is."""
        if self._go_on is None or not (self.status == 200 or self.begins_at) or not self.tag:
            return None
        response = self._go_on({"Range": f"bytes={size}-", "If-Range": self.tag})
        return response if _is_behind(response, size) else None

    def _too_large(self) -> EgressFailure:
        return EgressFailure("answer-too-large", f"The answer has more than {self._most} bytes.")


def _is_behind(response: httpcore.Response, size: int) -> bool:
    """Whether it is the rest of a file behind so many bytes."""
    told = headers_of(response).get("content-range", "")
    return response.status == 206 and told.startswith(f"bytes {size}-")


def headers_of(response: httpcore.Response) -> Headers:
    """Of several of one name, the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def malformed(why: str) -> EgressFailure:
    """An answer that nothing can be done with."""
    return EgressFailure("answer-malformed", f"The answer cannot be used: {why}.", passing=True)
