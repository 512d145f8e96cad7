"""What folders say: labels and sources from the names of an archive's entries."""

from collections.abc import Iterable, Iterator

from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.archives.entry_names import is_junk, name_key
from worker.archives.manifest import MANIFEST_NAMES


class Layout:
    """Watches entries go by and knows afterwards how they are laid out; keeps folders in mind, not files."""

    def __init__(self, max_folders: int) -> None:
        self._max_folders = max_folders
        self.manifests: list[ArchiveEntry] = []
        self.junk = 0
        """Files that operating systems left, and that are no samples."""
        self._folders: set[bytes] = set()
        self._tops: set[str] = set()
        self._shallowest: int | None = None

    def watch(self, entries: Iterable[ArchiveEntry]) -> Iterator[ArchiveEntry]:
        """Hands on the files that may be samples. Raises InputFailure ``archive-too-many-entries`` for its folders."""
        for entry in entries:
            if is_junk(entry.name):
                self.junk += not entry.is_folder
                continue
            parts = entry.name.removesuffix("/").split("/")
            self._note_folders(parts if entry.is_folder else parts[:-1])
            if entry.is_folder:
                continue
            if parts[-1] in MANIFEST_NAMES and len(parts) <= 2:
                self.manifests.append(entry)
                continue
            if len(self._tops) < 2:
                self._tops.add(parts[0] if len(parts) > 1 else "")
            depth = len(parts) - 1
            self._shallowest = depth if self._shallowest is None else min(self._shallowest, depth)
            yield entry

    @property
    def folder_keys(self) -> list[bytes]:
        """A file with one of these names would be both file and folder."""
        return sorted(self._folders)

    @property
    def top_folder(self) -> str:
        """``top/`` where one folder holds everything and leaves a label below it, else nothing."""
        alone = len(self._tops) == 1 and "" not in self._tops
        return f"{next(iter(self._tops))}/" if alone and (self._shallowest or 0) > 1 else ""

    def label_and_source(self, name: str) -> tuple[str | None, str | None]:
        """``label/file`` or ``label/source/.../file``, after the top folder."""
        folders = name.removeprefix(self.top_folder).split("/")[:-1]
        return (folders[0] if folders else None), (folders[1] if len(folders) > 1 else None)

    def _note_folders(self, parts: list[str]) -> None:
        for depth in range(1, len(parts) + 1):
            self._folders.add(name_key("/".join(parts[:depth])))
        if len(self._folders) > self._max_folders:
            raise InputFailure("archive-too-many-entries", f"More than {self._max_folders} folders.")
