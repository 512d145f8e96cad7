"""Folders that are listed and read where they lie, without being copied."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from app.domain.stored_text import is_storable
from app.egress.answers import Download, malformed
from app.errors import EgressFailure
from app.registries.base import Version
from app.registries.server_answers import check_status

WORDS_BYTES = 64 * 1024
"""That an answer may be longer than what was asked for: errors come with words."""
MOST_LETTERS = 4096
"""Of a path below the folder, or of a pin; S3's keys have 1,024 bytes."""
MOST_BYTES = 2**63


@dataclass(frozen=True, slots=True)
class Listed:
    """One object: its path below the folder, what tells it from every later one of that name, its bytes."""

    key: str
    pin: str
    size: int


class Page(NamedTuple):
    """Some objects; ``cursor`` is where a listing that was broken off goes on behind them, None: at its beginning."""

    objects: list[Listed]
    cursor: str | None


class Place(Protocol):
    """One folder. Every method raises EgressFailure."""

    def pages(self, cursor: str | None, beginning: str = "") -> Iterator[Page]:
        """Everything below it, or what has a path that begins so, page by page."""

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        """Exactly so many bytes of the object that was listed, or ``artifact-corrupted`` where it is another now."""


@runtime_checkable
class Listable(Protocol):
    """A registry of which folders can be listed. Every method raises EgressFailure."""

    def pinned(self, uri: str) -> tuple[str, Version]:
        """The address that stays what it is, and the version that it names; of one that is that already, unasked."""

    def place(self, uri: str) -> Place:
        """Asks nobody yet."""


def check_listed(one: Listed) -> None:
    """Raises EgressFailure for a name, pin or size that no store has, and no database takes."""
    texts = (one.key, one.pin)
    if not all(map(is_storable, texts)) or max(map(len, texts)) > MOST_LETTERS or not 0 <= one.size < MOST_BYTES:
        raise malformed("it lists an object whose name or size cannot be")


def changed(key: str) -> EgressFailure:
    """It is there, and not as it was listed."""
    return EgressFailure("artifact-corrupted", f"The object {key[-200:]!a} was changed after it was listed.")


def gone(key: str) -> EgressFailure:
    """It was listed."""
    return EgressFailure("artifact-corrupted", f"The object {key[-200:]!a} is gone since it was listed.")


def exactly(download: Download, listed: Listed, length: int, *, is_whole: bool) -> bytes:
    """The answer to a request for all of an object, or for a range of it. Raises EgressFailure."""
    if download.status in {404, 405, 410}:
        raise gone(listed.key)
    if download.status in {412, 416}:
        raise changed(listed.key)
    check_status(download.status, "store of objects")
    if not is_whole and download.status != 206:
        raise EgressFailure("answer-malformed", "The store sends whole objects where a part was asked for.")
    data = b"".join(download.pieces())
    if len(data) != length:
        raise changed(listed.key)
    return data
