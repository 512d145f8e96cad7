"""Ranges of a listing's objects for one thread, over a connection that is kept."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import BinaryIO, Self

from app.errors import InputFailure
from app.registries.listed import Listed
from app.settings import Settings
from app.sources.addresses import object_at
from app.sources.reach import OpenSource, Reach
from app.sources.reading import read_listed


class ListedReader:
    """Of the objects that it is given, by number: no others are read. In a store's place for a job about them."""

    is_local = False

    def __init__(self, reach: Reach, settings: Settings, objects: dict[int, Listed]) -> None:
        self._reach = reach
        self._settings = settings
        self._objects = objects
        self._source: OpenSource | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._source is not None:
            self._source.close()

    def size(self, digest: str) -> int:
        """Of a listing nothing that anybody could use."""
        del digest
        return 0

    def opened(self, digest: str) -> AbstractContextManager[BinaryIO]:
        """Raises FileNotFoundError: it is no file."""
        raise FileNotFoundError(digest)

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """At most ``length`` bytes, up to the object's end. Raises InputFailure and TransientFailure, which name it."""
        del digest
        number, within = object_at(offset)
        listed = self._objects.get(number)
        if listed is None:
            raise InputFailure("artifact-corrupted", "Something else than was listed was asked for.")
        length = min(length, listed.size - within)
        if length <= 0:
            return b""
        self._source = self._source or OpenSource(self._reach, self._settings)
        return read_listed(self._source.place, listed, within, length)
