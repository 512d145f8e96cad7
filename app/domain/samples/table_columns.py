"""Which columns of a table say what of a sample."""

import re
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ALIASES: dict[str, tuple[str, ...]] = {
    "path": (
        "path",
        "file_name",
        "filename",
        "file_path",
        "filepath",
        "file",
        "image",
        "image_path",
        "img",
        "img_path",
        "image_name",
        "image_file",
        "image_filename",
    ),
    "label": ("label", "class", "category", "label_name", "class_name", "category_name", "target"),
    "source": ("source",),
    "split": ("split", "subset", "partition"),
    "cluster": ("cluster",),
}
"""Names that a column may have, the likeliest first; case, blanks and hyphens do not count."""
MAX_GROUPS = 32
_JOINTS = re.compile(r"[\s_-]+")


class Columns(BaseModel):
    """Which columns are what, or where labels are found that stand in no column."""

    model_config = ConfigDict(extra="forbid")

    file: str | None = Field(None, max_length=1024, description="The table in the archive; unset: its manifest.")
    path: str | None = Field(None, max_length=1024, description="The column with the file's name.")
    label: str | None = Field(None, max_length=1024)
    one_hot: list[str] | None = Field(
        None, min_length=2, max_length=1000, description="In place of `label`: columns of 0 and 1, one for each label."
    )
    source: str | None = Field(None, max_length=1024)
    split: str | None = Field(None, max_length=1024)
    cluster: str | None = Field(
        None, max_length=1024, description="Images of one person, scene or video have one value here."
    )
    groups: list[str] | None = Field(
        None, max_length=MAX_GROUPS, description="Columns to keep for `group_by`; unset: all others."
    )
    names: str | None = Field(
        None,
        max_length=200,
        description="In place of a table: how files are named, such as `{label}.*` or `{label}_#.jpg` (`#`: digits).",
    )
    beside: Literal["webdataset", "yolo"] | None = Field(
        None,
        description="In place of a table: labels in a file beside each image, WebDataset's `N.cls` or "
        "`N.json` (`label`), or YOLO's `.txt`.",
    )

    @model_validator(mode="after")
    def one_place(self) -> Self:
        named = (self.file, self.path, self.label, self.one_hot, self.source, self.split, self.cluster, self.groups)
        in_table = any(named)
        if self.label is not None and self.one_hot is not None:
            raise ValueError("name label or one_hot: not both")
        if sum((in_table, self.names is not None, self.beside is not None)) > 1:
            raise ValueError("name columns of a table, or names, or beside: one of the three")
        if self.names is not None and "{label}" not in self.names:
            raise ValueError("names needs a {label}")
        return self

    def resolved(self, header: Iterable[str]) -> "Columns":
        """With a column of the table for all that there is; those that are named must be there (ValueError)."""
        there = dict.fromkeys(header)
        found: dict[str, str | None] = {}
        for field in ALIASES:
            asked = getattr(self, field)
            found[field] = _named(asked, there) if asked is not None else None
        one_hot = None if self.one_hot is None else [_named(name, there) for name in self.one_hot]
        taken = {*found.values(), *(one_hot or ())}
        for field, aliases in ALIASES.items():
            if found[field] is None and (field != "label" or one_hot is None):
                found[field] = _first_alias(aliases, [name for name in there if name not in taken])
                taken.add(found[field])
        rest = [name for name in there if name not in taken and name]
        groups = rest if self.groups is None else [_named(name, there) for name in self.groups]
        return Columns(file=self.file, one_hot=one_hot, groups=groups[:MAX_GROUPS], **found)


def _named(asked: str, there: Iterable[str]) -> str:
    for name in there:
        if name == asked or _plain(name) == _plain(asked):
            return name
    known = ", ".join(list(there)[:20])
    raise ValueError(f"it has no column {asked!r}; it has {known}")


def _first_alias(aliases: tuple[str, ...], there: list[str]) -> str | None:
    plain = {_plain(name): name for name in reversed(there)}
    return next((plain[_plain(alias)] for alias in aliases if _plain(alias) in plain), None)


def _plain(name: str) -> str:
    return _JOINTS.sub("", name).casefold()
