"""A ZIP of entries as they are, written from front to back."""

import io
import zipfile
from collections.abc import Callable
from types import TracebackType
from typing import Self

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a ZIP can name: the same entries make the same bytes whenever they are written."""


class ZipWriter:
    """Hands on bytes that are final. Each entry's size and checksum stand before it, so that whoever reads the archive
    as a stream can read it as well."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._held = _Held(write)
        self._archive = zipfile.ZipFile(self._held, "w", zipfile.ZIP_STORED)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The list of all entries comes last; an archive that was broken off gets none."""
        if kind is None:
            self._archive.close()
            self._held.release()

    def add(self, name: str, content: bytes) -> None:
        self._archive.writestr(zipfile.ZipInfo(name, _DATE), content)
        self._held.release()


class _Held(io.BytesIO):
    """What may still change: zipfile goes back to an entry's head once it knows its checksum."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        super().__init__()
        self._write = write
        self._before = 0

    def tell(self) -> int:
        return self._before + super().tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._before + super().seek(offset - self._before if whence == io.SEEK_SET else offset, whence)

    def release(self) -> None:
        """Hand on all that is there."""
        content = self.getvalue()
        self._write(content)
        self._before += len(content)
        super().seek(0)
        self.truncate()
