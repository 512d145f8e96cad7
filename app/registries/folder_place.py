"""A folder of the operator's that is listed, and whose files are read where they lie."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from app.errors import EgressFailure
from app.registries.folder_opening import FILE, FOLDER, READ_BYTES, descriptor_of, not_there, opened
from app.registries.listed import Listed, Page, changed
from app.registries.server_answers import safe_path

PAGE = 1000
MOST_DEEP = 64
"""Folders within each other; what lies deeper is left out, as are names that are too long."""


@dataclass(frozen=True)
class FolderPlace:
    """One folder, listed as the system tells its files: in no order, so that no listing goes on where it stopped."""

    root: str
    inner: tuple[str, ...]

    def pages(self, cursor: str | None, beginning: str = "") -> Iterator[Page]:
        """As of any `Place`."""
        del cursor
        with opened(self.root, self.inner) as folder:
            try:
                found = _walked(folder, "", beginning, MOST_DEEP)
                while objects := list(islice(found, PAGE)):
                    yield Page(objects, None)
            except OSError as error:
                raise not_there() from error

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        *folders, last = safe_path(listed.key).split("/")
        with opened(self.root, (*self.inner, *folders)) as folder:
            descriptor = descriptor_of(last, FILE, folder)
            try:
                if _pin(os.fstat(descriptor)) != listed.pin:
                    raise changed(listed.key)
                data = b"".join(_parts(descriptor, offset, length))
                if _pin(os.fstat(descriptor)) != listed.pin:  # written over while it was read
                    raise changed(listed.key)
            except OSError as error:
                raise EgressFailure("registry-failed", "The system does not read the file.", passing=True) from error
            finally:
                os.close(descriptor)
        if len(data) != length:
            raise changed(listed.key)
        return data


def _walked(folder: int, where: str, beginning: str, depth: int) -> Iterator[Listed]:
    """Regular files as the system tells them, one at a time; links and whatever else lies there are left out, as is
    what has a path that does not begin so."""
    inner: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            path = f"{where}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if f"{path}/".startswith(beginning) or beginning.startswith(f"{path}/"):
                    inner.append(entry.name)
            elif path.startswith(beginning) and entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # gone since the folder was opened
                    found = entry.stat(follow_symlinks=False)
                    yield Listed(_told(path), _pin(found), found.st_size)
    for name in inner if depth else ():
        below = descriptor_of(name, FOLDER, folder)
        try:
            yield from _walked(below, f"{where}{name}/", beginning, depth - 1)
        finally:
            os.close(below)


def _told(name: str) -> str:
    """Raises EgressFailure for one that is no text."""
    try:
        name.encode()
    except UnicodeError as error:
        detail = f"The name {name[-200:]!a} is not UTF-8: rename it, or let the folder be copied (by_reference: false)."
        raise EgressFailure("answer-malformed", detail) from error
    return name


def _pin(found: os.stat_result) -> str:
    return f"file:{found.st_size}:{found.st_mtime_ns}"


def _parts(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    while length > 0 and (part := os.pread(descriptor, min(length, READ_BYTES), offset)):
        yield part
        offset, length = offset + len(part), length - len(part)
