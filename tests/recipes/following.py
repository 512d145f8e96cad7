"""Reads the recipes of docs/contributing.md and follows them in a copy of the code."""

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
RECIPES = {part.partition("\n")[0]: part for part in PAGE.partition("## Recipes")[2].split("\n### ")[1:]}
BLOCK = re.compile(
    r"^`(?P<file>[^`]+)`, (?:below (?P<ticks>`+)(?P<line>[^\n]+)(?P=ticks)|at the end|(?P<new>new)):\n\n"
    r"```text\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COPY = re.compile(r"^`(?P<file>[^`]+)`, as `(?P<source>[^`]+)`\.$", re.MULTILINE)
CHECK = re.compile(r"^Check: `(.+)`$", re.MULTILINE)
UNFINISHED = shutil.ignore_patterns("*.pyc.*")
NEWEST = "NEWEST"
"""Stands in a migration for the one before it."""


def check_of(name: str) -> str:
    """The command with which a recipe ends."""
    (command,) = CHECK.findall(RECIPES[name])
    return str(command)


def copied(tree: Path, folders: Iterable[str], linked: Iterable[str] = ()) -> Path:
    """A copy of the code, with what Python compiled of it: its age is kept. What is not changed is linked into it."""
    for part in folders:
        shutil.copytree(ROOT / part, tree / part, ignore=UNFINISHED)
    for part in linked:
        (tree / part).symlink_to(ROOT / part)
    return tree


def follow(tree: Path, name: str) -> None:
    """All that a recipe adds."""
    recipe = RECIPES[name]
    assert BLOCK.search(recipe) or COPY.search(recipe), f"the recipe {name!r} adds nothing"
    for copy in COPY.finditer(recipe):
        shutil.copy(ROOT / copy["source"], tree / copy["file"])
    for block in BLOCK.finditer(recipe):
        if block["new"]:
            _create(tree / block["file"], block["text"].replace(NEWEST, _newest(tree)))
        else:
            _add(tree / block["file"], block["line"], block["text"])


def _create(file: Path, text: str) -> None:
    assert not file.exists()
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _newest(tree: Path) -> str:
    versions = tree / "alembic" / "versions"
    return max((file.stem for file in versions.glob("[0-9]*.py")), default="") if versions.exists() else ""


def _add(file: Path, line: str | None, text: str) -> None:
    """Behind the one line that is so, or at the end."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [place for place, found in enumerate(lines, 1) if found.rstrip("\n") == line]
    assert line is None or len(places) == 1, f"{line!r} stands {len(places)} times in {file.name}"
    lines.insert(places[0] if places else len(lines), text)
    file.write_text("".join(lines), encoding="utf-8")
