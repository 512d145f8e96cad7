"""Entries as they come out of an archive: which may be samples, which are nobody's data."""

from collections import Counter
from collections.abc import Iterable, Iterator

from app.errors import InputFailure
from app.imaging.compression import STORED
from app.imaging.entries import ArchiveEntry
from app.imaging.kinds import promised_kind
from worker.archives.entry_names import is_odd, name_key
from worker.archives.listing import NAME_TOO_LONG
from worker.archives.skipping import ARCHIVE, reason_to_skip

NAMED = 5
"""Examples of what was skipped for one reason."""
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet", ".json", ".yaml", ".yml")
_MOST_TABLES = 1000


class Skipped:
    """What was left out: how many for each reason, and the first few by name."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, reason: str, name: str) -> None:
        self.counts[reason] += 1
        examples = self._examples.setdefault(reason, [])
        if len(examples) < NAMED:
            examples.append(name)

    def take_back(self, reason: str, count: int) -> None:
        """So many of a reason are read all the same."""
        self.counts[reason] -= count
        if self.counts[reason] <= 0:
            del self.counts[reason]

    def examples(self, reason: str) -> str:
        """The first names, quoted, and whether there are more."""
        names = ", ".join(f"{name[-200:]!a}" for name in self._examples.get(reason, []))
        return names + (" and more" if self.counts[reason] > NAMED else "")


class Arrivals:
    """Watches entries go by and knows afterwards what was among them; keeps folders in mind, not files."""

    def __init__(self, max_folders: int, skipped: Skipped | None = None) -> None:
        """``skipped`` goes on where another listing ended."""
        self._max_folders = max_folders
        self._folders: set[bytes] = set()
        self._links: set[bytes] = set()
        self.skipped = skipped or Skipped()
        self.tables: list[ArchiveEntry] = []
        """Files that may say which label is whose."""
        self.odd = Skipped()
        """Taken, under names that Windows could not store."""
        self._parquet: list[ArchiveEntry] = []
        self._tars: list[ArchiveEntry] = []
        self.images = 0
        """Files that are images by their names."""
        self.hard_links: list[tuple[str, str]] = []
        """Names, and the names of the entries that they are again."""

    def watch(self, entries: Iterable[ArchiveEntry]) -> Iterator[ArchiveEntry]:
        """Hands on the files that may be samples.

        Raises InputFailure ``archive-too-many-entries`` for its folders, or ``archive-special-entry`` where one of them
        is a link as well.
        """
        for entry in entries:
            reason = entry.skip or reason_to_skip(entry.name)
            if entry.skip == "symbolic-link":
                self._links.add(name_key(entry.name))
            if entry.skip != NAME_TOO_LONG:
                self._note_folders(entry)
            if reason is not None:
                if not entry.is_folder:
                    self.skipped.add(reason, entry.name)
                if reason == ARCHIVE and entry.name.casefold().endswith(".tar"):
                    self._tars.append(entry)
                continue
            if not entry.is_folder:
                yield from self._file(entry)
        if self._links & self._folders:
            detail = "A symbolic link is also a folder of other entries: pack the files themselves (tar -h)."
            raise InputFailure("archive-special-entry", detail)

    @property
    def image_tables(self) -> list[ArchiveEntry]:
        """Parquet tables, which hold the images where there are no others; in the order of their names.

        Raises InputFailure for one that can neither be read in place nor as a whole.
        """
        if self.images:
            return []
        for table in self._parquet:
            if table.fault is not None and not _in_place(table):
                detail = f"The table {table.name[-200:]!a} cannot be read where it is. {table.fault.detail}"
                way_out = "Tables are read in place, of any size, in a tar file or a ZIP that stores them (zip -0)."
                raise InputFailure("archive-expansion-limit", f"{detail} {way_out}")
        return sorted(self._parquet, key=lambda table: table.name)

    @property
    def tars(self) -> list[ArchiveEntry]:
        """Tars that can be read where they lie, in an archive without other images; in the order of their names."""
        if self.images or self._parquet:
            return []
        whole = (tar for tar in self._tars if tar.compression == STORED and tar.same_as is None and tar.skip is None)
        return sorted((tar for tar in whole if tar.fault is None or _in_place(tar)), key=lambda tar: tar.name)

    @property
    def folder_keys(self) -> list[bytes]:
        """A file with one of these names would be both file and folder."""
        return sorted(self._folders)

    def _file(self, entry: ArchiveEntry) -> Iterator[ArchiveEntry]:
        if is_odd(entry.name):
            self.odd.add("odd", entry.name)
        if entry.name.casefold().endswith(_TABLES) and entry.fault is None and len(self.tables) < _MOST_TABLES:
            self.tables.append(entry)
        if entry.name.casefold().endswith(".parquet"):
            self._parquet.append(entry)
        self.images += promised_kind(entry.name) is not None
        if entry.same_as is not None:
            self.hard_links.append((entry.name, entry.same_as))
        yield entry

    def _note_folders(self, entry: ArchiveEntry) -> None:
        parts = entry.name.removesuffix("/").split("/")
        for depth in range(1, len(parts) + entry.is_folder):
            self._folders.add(name_key("/".join(parts[:depth])))
        if len(self._folders) > self._max_folders:
            raise InputFailure("archive-too-many-entries", f"More than {self._max_folders} folders (MAX_ENTRIES).")


def _in_place(entry: ArchiveEntry) -> bool:
    """Whether an entry is too large alone to be read as a whole, which nobody has to."""
    return entry.compression == STORED and entry.fault is not None and entry.fault.code == "sample-too-large"
