"""What came back from an address that a tenant chose."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpcore

from app.errors import EgressFailure

Headers = dict[str, str]
"""Names in small letters."""


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
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise malformed("it is no JSON") from error


class Download:
    """One that is read in pieces, up to ``most_bytes``."""

    def __init__(self, response: httpcore.Response, most_bytes: int) -> None:
        """Raises EgressFailure where the answer says that it is larger, or is compressed without being asked."""
        self.status = response.status
        self.headers = headers_of(response)
        self._response = response
        self._most = most_bytes
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise malformed("it is compressed, though that was not asked for")
        if (self.size or 0) > most_bytes:
            raise self._too_large()

    @property
    def size(self) -> int | None:
        """As the answer says it; None where it does not."""
        length = self.headers.get("content-length", "")
        return int(length) if length.isascii() and length.isdecimal() else None

    def pieces(self) -> Iterator[bytes]:
        """Raises EgressFailure as soon as there are more bytes than may be."""
        size = 0
        for piece in self._response.iter_stream():
            size += len(piece)
            if size > self._most:
                raise self._too_large()
            yield piece

    def _too_large(self) -> EgressFailure:
        return EgressFailure("answer-too-large", f"The answer has more than {self._most} bytes.")


def headers_of(response: httpcore.Response) -> Headers:
    """Of several of one name, the last."""
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def malformed(why: str) -> EgressFailure:
    """An answer that nothing can be done with."""
    return EgressFailure("answer-malformed", f"The answer cannot be used: {why}.", passing=True)
