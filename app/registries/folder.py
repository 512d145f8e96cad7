"""A folder of the operator's: read within the roots that a setting names, through no link."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from app.egress.answers import Begun
from app.errors import EgressFailure
from app.registries.base import Version
from app.registries.folder_opening import FILE, READ_BYTES, descriptor_of, not_there, opened
from app.registries.folder_place import FolderPlace
from app.registries.named_files import belongs_to, names_file
from app.registries.server_answers import safe_path
from app.registries.uri_forms import FileUri
from app.registries.without_versions import WithoutVersions

MOST_FILES = 1_000_000
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
            with opened(str(root), inner) as folder:
                looks = _looked_through(folder)
        listed = "\n".join(f"{name} {look}" for name, look in sorted(looks.items()))
        seen = hashlib.sha256(listed.encode(errors="surrogateescape")).hexdigest()
        return FolderFiles(str(root), inner, Version(name, seen), looks)

    def pinned(self, uri: str) -> tuple[str, Version]:
        """Its whole path is its name; its files have no version."""
        return uri, Version(PurePosixPath(FileUri.read(uri).path).name, "")

    def place(self, uri: str) -> FolderPlace:
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
class FolderFiles:
    """Those of one folder, as they were listed: regular files, at any depth."""

    root: str
    inner: tuple[str, ...]
    version: Version
    looks: Mapping[str, Look] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.looks)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator["_File"]:
        del begun
        *folders, last = safe_path(name).split("/")
        with opened(self.root, (*self.inner, *folders)) as folder:
            descriptor = descriptor_of(last, FILE, folder)
            try:
                if _look(os.fstat(descriptor)) != self.looks[name]:
                    raise EgressFailure("artifact-corrupted", "A file was changed after it was listed.")
                yield _File(descriptor, self.looks[name][0], most_bytes)
            finally:
                os.close(descriptor)

    def pin(self, name: str) -> None:
        """None: what lies here is as soon read again."""
        del name

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


def _beside(root: str, inner: tuple[str, ...]) -> dict[str, Look]:
    """The file that is named, and what belongs to it; empty where it is none."""
    if not inner:
        return {}
    *above, file = inner
    try:
        with opened(root, tuple(above)) as folder, os.scandir(folder) as entries:
            found = {one.name: one.stat(follow_symlinks=False) for one in entries if belongs_to(file, one.name)}
    except OSError as error:
        raise not_there() from error
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
        raise not_there() from error
    if not looks:
        raise not_there()
    return looks


def _look(found: os.stat_result) -> Look:
    return found.st_size, found.st_mtime_ns
