"""A folder of the operator's: read within the roots that a setting names, through no link."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import PurePosixPath

from app.errors import EgressFailure
from app.registries.base import Version, WithoutVersions, safe_path
from app.registries.listed import Listed, Page, changed
from app.registries.named_files import belongs_to, names_file
from app.registries.uris import FileUri

READ_BYTES = 1024**2
MOST_FILES = 1_000_000
PAGE = 1000
MOST_DEEP = 64
"""Folders within each other; what lies deeper is left out, as are names that are too long."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put there would wait for whoever writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
Look = tuple[int, int]
"""Size and time of the last change."""


class FolderRegistry(WithoutVersions):
    """The folders that one tenant may name. Every method raises EgressFailure."""

    def __init__(self, roots: list[str]) -> None:
        self._roots = [PurePosixPath(root) for root in roots]

    def open(self, uri: str) -> "FolderFiles":
        root, inner = self._within(uri)
        name = (inner or root.parts)[-1]
        looks = _beside(str(root), inner) if names_file(name) else {}
        if looks:
            inner = inner[:-1]
        else:
            with _opened(str(root), inner) as folder:
                looks = _looked_through(folder)
        listed = "\n".join(f"{name} {look}" for name, look in sorted(looks.items()))
        seen = hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()
        return FolderFiles(str(root), inner, Version(name, seen), looks)

    def pinned(self, uri: str) -> tuple[str, Version]:
        """Its whole path is its name; its files have no version."""
        return uri, Version(PurePosixPath(FileUri.read(uri).path).name, "")

    def place(self, uri: str) -> "FolderPlace":
        root, inner = self._within(uri)
        return FolderPlace(str(root), inner)

    def tries(self) -> dict[str, Callable[[], object]]:
        """Nobody asks: a folder has no connection."""
        return {}

    def _within(self, uri: str) -> tuple[PurePosixPath, tuple[str, ...]]:
        path = PurePosixPath(FileUri.read(uri).path)
        root = next((root for root in self._roots if path.is_relative_to(root)), None)
        if root is None:
            detail = "The operator lets no source lie in that folder (IMPORT_ROOTS)."
            raise EgressFailure("folder-not-allowed", detail)
        return root, path.relative_to(root).parts


@dataclass(frozen=True)
class FolderPlace:
    """One folder, listed as the system tells its files: in no order, so that no listing goes on where it stopped."""

    root: str
    inner: tuple[str, ...]

    def pages(self, cursor: str | None) -> Iterator[Page]:
        del cursor
        with _opened(self.root, self.inner) as folder:
            try:
                found = _walked(folder, "", MOST_DEEP)
                while objects := list(islice(found, PAGE)):
                    yield Page(objects, None)
            except OSError as error:
                raise _not_there() from error

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        *folders, last = safe_path(listed.key).split("/")
        with _opened(self.root, (*self.inner, *folders)) as folder:
            descriptor = _descriptor(last, _FILE, folder)
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


@dataclass(frozen=True)
class FolderFiles:
    """Those of one folder, as they were listed: regular files, at any depth."""

    root: str
    inner: tuple[str, ...]
    version: Version
    looks: Mapping[str, Look] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.looks)

    @contextmanager
    def fetch(self, name: str, most_bytes: int) -> Iterator["_File"]:
        *folders, last = safe_path(name).split("/")
        with _opened(self.root, (*self.inner, *folders)) as folder:
            descriptor = _descriptor(last, _FILE, folder)
            try:
                if _look(os.fstat(descriptor)) != self.looks[name]:
                    raise EgressFailure("artifact-corrupted", "A file was changed after it was listed.")
                yield _File(descriptor, self.looks[name][0], most_bytes)
            finally:
                os.close(descriptor)

    def checksum(self, name: str) -> None:
        """None: a folder tells no digests."""
        del name


@dataclass(frozen=True)
class _File:
    descriptor: int
    size: int
    most_bytes: int

    def pieces(self) -> Iterator[bytes]:
        """Raises EgressFailure where it is larger than it may be, or another size than was listed."""
        if self.size > self.most_bytes:
            raise EgressFailure("answer-too-large", f"The file has more than {self.most_bytes} bytes.")
        read = 0
        while piece := os.read(self.descriptor, READ_BYTES):
            read += len(piece)
            yield piece
        if read != self.size:
            raise EgressFailure("artifact-corrupted", "A file was changed while it was read.")


@contextmanager
def _opened(root: str, inner: tuple[str, ...]) -> Iterator[int]:
    """The folder's descriptor: from the root on no part of the way may be a link; the root itself may be one."""
    folder = _descriptor(root, _FOLDER & ~os.O_NOFOLLOW, None)
    try:
        for part in inner:
            before, folder = folder, _descriptor(part, _FOLDER, folder)
            os.close(before)
        yield folder
    finally:
        os.close(folder)


def _descriptor(name: str, flags: int, within: int | None) -> int:
    try:
        return os.open(name, flags, dir_fd=within)
    except (OSError, ValueError) as error:
        raise _not_there() from error


def _beside(root: str, inner: tuple[str, ...]) -> dict[str, Look]:
    """The file that is named, and what belongs to it; empty where it is none."""
    if not inner:
        return {}
    *above, file = inner
    try:
        with _opened(root, tuple(above)) as folder, os.scandir(folder) as entries:
            found = {one.name: one.stat(follow_symlinks=False) for one in entries if belongs_to(file, one.name)}
    except OSError as error:
        raise _not_there() from error
    looks = {name: _look(told) for name, told in found.items() if stat.S_ISREG(told.st_mode)}
    return looks if file in looks else {}


def _looked_through(folder: int) -> dict[str, Look]:
    """Regular files by their path; links and whatever else lies there are left out."""
    looks: dict[str, Look] = {}
    try:
        for where, _, names, inner in os.fwalk(".", dir_fd=folder):
            for name in names:
                found = os.stat(name, dir_fd=inner, follow_symlinks=False)
                if stat.S_ISREG(found.st_mode):
                    looks[f"{where}/{name}".removeprefix("./")] = _look(found)
            if len(looks) > MOST_FILES:
                raise EgressFailure("answer-too-large", f"The folder has more than {MOST_FILES} files.")
    except OSError as error:
        raise _not_there() from error
    if not looks:
        raise _not_there()
    return looks


def _walked(folder: int, where: str, depth: int) -> Iterator[Listed]:
    """Regular files as the system tells them, one at a time; links and whatever else lies there are left out."""
    inner: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                inner.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):  # gone since the folder was opened
                    found = entry.stat(follow_symlinks=False)
                    yield Listed(_told(f"{where}{entry.name}"), _pin(found), found.st_size)
    for name in inner if depth else ():
        below = _descriptor(name, _FOLDER, folder)
        try:
            yield from _walked(below, f"{where}{name}/", depth - 1)
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


def _look(found: os.stat_result) -> Look:
    return found.st_size, found.st_mtime_ns


def _not_there() -> EgressFailure:
    detail = "There is no such file, and no such folder with files, that can be read; links are not followed."
    return EgressFailure("registry-not-found", detail)
