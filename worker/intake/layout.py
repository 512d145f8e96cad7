"""What folders say: splits, labels and sources from the names of an archive's images."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.samples.splits import is_split_name, numbered_parts, splits_among

_Path = tuple[str, ...]


class Place(NamedTuple):
    """What an image's folders say of it."""

    split: str | None
    label: str | None
    source: str | None


@dataclass(frozen=True)
class Layout:
    """How the folders of a data set's images are laid out."""

    top: str = ""
    """``top/`` holds everything and is no label; nothing where there is no such folder."""
    splits: Mapping[str, str] = field(default_factory=dict)
    """The split that each folder below the top is; empty where they are none."""
    is_repeated: bool = False
    """Each of them holds one folder of its own name, as archives do that were packed one by one."""
    inner: str = ""
    """``images/`` is the one folder below every split, and no label either."""
    has_labels: bool = False
    splits_within: bool = False
    """Every label's folders are splits."""

    @classmethod
    def of(cls, folders: Iterable[str]) -> "Layout":
        """By the folders that hold images themselves, as paths without a slash at the end.

        A folder that holds everything says nothing. Where every folder on top has a split's name, these are splits
        (``train/ car/ bus/`` are classes). What then comes first are labels.
        """
        paths = [tuple(folder.split("/")) if folder else () for folder in set(folders)]
        top, below = _without_lone(paths)
        splits = splits_among({path[0] for path in below}) or numbered_parts(below) if all(below) else {}
        if not splits:
            within = bool(below) and all(len(path) == 2 and is_split_name(path[1]) for path in below)
            return cls(_joined(top), has_labels=any(below), splits_within=within)
        is_repeated = all(path[:2] == (path[0], path[0]) for path in below)
        inner, below = _without_lone([path[1 + is_repeated :] for path in below])
        return cls(_joined(top), splits, is_repeated, _joined(inner), any(below))

    def place(self, name: str) -> Place:
        """``[split/]label/file`` or ``[split/]label/source/.../file``, after the top folder."""
        folders = name.removeprefix(self.top).split("/")[:-1]
        split = self.splits[folders.pop(0)] if self.splits else None
        if self.is_repeated:
            folders = folders[1:]
        if self.inner:
            folders = folders[self.inner.count("/") :]
        if not self.has_labels:
            folders = []
        if self.splits_within:
            split = folders.pop(1).casefold()
        return Place(split, folders[0] if folders else None, folders[1] if len(folders) > 1 else None)

    def notes(self) -> list[str]:
        """What was taken in another way than it looks."""
        notes = [f"The top folder {self.top!r} holds everything and is no label."] if self.top else []
        if self.splits:
            notes.append("The top folders have splits' names: they are splits, and no labels.")
        if self.splits_within:
            notes.append("The folders in every label have splits' names: they are splits, and no sources.")
        if self.inner:
            notes.append(f"The folder {self.inner!r} is the only one in every split and is no label.")
        return notes


def _without_lone(paths: list[_Path]) -> tuple[_Path, list[_Path]]:
    """The folders that hold everything one within the other, unless a split's name says something, and the rest."""
    lone: list[str] = []
    while paths and all(paths) and len({path[0] for path in paths}) == 1:
        if is_split_name(paths[0][0]):
            break
        lone.append(paths[0][0])
        paths = [path[1:] for path in paths]
    return tuple(lone), paths


def _joined(path: _Path) -> str:
    return "".join(f"{folder}/" for folder in path)
