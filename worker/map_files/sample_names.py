"""Which sample a name means that somebody wrote elsewhere: with or without folders and ending."""

from collections.abc import Iterable
from posixpath import commonpath, splitext
from typing import NamedTuple, Self
from uuid import UUID

from app.imaging.kinds import promised_kind
from worker.map_files.endings import ARRAY, file_of


class Named(NamedTuple):
    """A sample: its name and id, and the size of its image in pixels."""

    name: str
    id: UUID
    width: int
    height: int


class SampleNames:
    """Of a data set's readable samples. A name that fits several means none of them."""

    def __init__(self, samples: Iterable[Named], others: Iterable[str] = ()) -> None:
        """``others`` are names of samples that cannot be read: no name means one of them, but they are names too."""
        self.by_name = {sample.name: sample for sample in samples}
        self._without_ending = _Index()
        self._file_alone = _Index()
        for sample in self.by_name.values():
            self._without_ending.add(_bare(sample.name), sample)
            self._file_alone.add(_bare(file_of(sample.name)), sample)
        for name in others:
            self._without_ending.add(_bare(name), None)
            self._file_alone.add(_bare(file_of(name)), None)

    def below(self, names: Iterable[str]) -> "Below":
        """Finds samples for names of one upload."""
        return Below.of(self, names)

    def find(self, name: str, *, has_folders: bool) -> Named | None:
        """Raises KeyError where it fits several."""
        told = splitext(name)[0] if name.casefold().endswith(ARRAY) else name
        found = self.by_name.get(told)
        for index, key in (
            (self._without_ending, told),
            (self._without_ending, _bare(told)),
            *(() if has_folders else ((self._file_alone, told), (self._file_alone, _bare(told)))),
        ):
            found = found or index.get(key)
        return found


class Below(NamedTuple):
    """Names of one upload, whose common folder may be the upload's own."""

    samples: SampleNames
    folder: str

    @classmethod
    def of(cls, samples: SampleNames, names: Iterable[str]) -> Self:
        folders = [name.rpartition("/")[0] for name in names]
        return cls(samples, commonpath(folders) if all(folders) and folders else "")

    def find(self, name: str) -> Named | None:
        """The sample, None where none has that name. Raises KeyError where it fits several."""
        relative = name.removeprefix(f"{self.folder}/") if self.folder else name
        while True:
            found = self.samples.find(name, has_folders="/" in relative)
            if found is not None or len(name) <= len(relative):
                return found
            name = name.partition("/")[2]


class _Index:
    """By a key that several may share."""

    def __init__(self) -> None:
        self._found: dict[str, Named | None] = {}
        self._several: set[str] = set()

    def add(self, key: str, sample: Named | None) -> None:
        if key in self._found:
            self._several.add(key)
        self._found[key] = sample

    def get(self, key: str) -> Named | None:
        if key in self._several:
            raise KeyError(key)
        return self._found.get(key)


def _bare(name: str) -> str:
    """Without an ending that is one: of ``face.v2`` nothing is taken."""
    return name if promised_kind(name) is None else splitext(name)[0]
