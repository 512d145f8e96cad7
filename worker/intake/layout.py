"""What folders say: splits, labels and sources from the names of an archive's images."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.splits import is_split_name

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
    has_splits: bool = False
    """Folders below the top are splits."""
    inner: str = ""
    """``images/`` is the one folder below every split, and no label either."""
    has_labels: bool = False

    @classmethod
    def of(cls, folders: Iterable[str]) -> "Layout":
        """By the folders that hold images themselves, as paths without a slash at the end.

        A folder that holds everything says nothing. Where every folder on top has a split's name, these are splits
        (``train/ car/ bus/`` are classes). What then comes first are labels.
        """
        paths = [tuple(folder.split("/")) if folder else () for folder in set(folders)]
        top, below = _without_lone(paths)
        has_splits = bool(below) and all(path and is_split_name(path[0]) for path in below)
        inner: _Path = ()
        if has_splits:
            inner, below = _without_lone([path[1:] for path in below])
        return cls(_joined(top), has_splits, _joined(inner), any(below))

    def place(self, name: str) -> Place:
        """``[split/]label/file`` or ``[split/]label/source/.../file``, after the top folder."""
        folders = name.removeprefix(self.top).split("/")[:-1]
        split = folders.pop(0).casefold() if self.has_splits else None
        if self.inner:
            folders = folders[self.inner.count("/") :]
        if not self.has_labels:
            folders = []
        return Place(split, folders[0] if folders else None, folders[1] if len(folders) > 1 else None)

    def notes(self) -> list[str]:
        """What was taken in another way than it looks."""
        notes = [f"The top folder {self.top!r} holds everything and is no label."] if self.top else []
        if self.has_splits:
            notes.append("The top folders have splits' names: they are splits, and no labels.")
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
