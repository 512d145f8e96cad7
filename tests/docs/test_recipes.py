"""The recipes of docs/contributing.md lead to something that works, in a copy of the code."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
RECIPES = {part.partition("\n")[0]: part for part in PAGE.partition("## Recipes")[2].split("\n### ")[1:]}
STEP = re.compile(
    r"^`(?P<file>[^`]+)`, (?:below (?P<ticks>`+)(?P<line>[^\n]+)(?P=ticks)|at the end):\n\n```text\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
CHECK = re.compile(r"^Check: `(.+)`$", re.MULTILINE)
COPIED = ("app", "docs", "tests", "worker")
LINKED = ("examples", "alembic", "pyproject.toml", "README.md")


@pytest.mark.parametrize("name", [name for name, text in RECIPES.items() if STEP.search(text)])
def test_is_followed(name: str, tmp_path: Path) -> None:
    for part in COPIED:
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in LINKED:
        (tmp_path / part).symlink_to(ROOT / part)
    for step in STEP.finditer(RECIPES[name]):
        add(tmp_path / step["file"], step["line"], step["text"])
    command = shlex.split(CHECK.findall(RECIPES[name])[0])
    assert command[0] == "python"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, *command[1:]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_ends_with_a_check() -> None:
    wanted = {"A measure", "A CAM method", "A deformation", "An upload format", "A resource", "A setting"}
    assert wanted <= RECIPES.keys()
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for text in RECIPES.values():
        (check,) = CHECK.findall(text)
        assert check.startswith("python ") or {part.removeprefix("make ") for part in check.split(" && ")} <= set(
            targets
        )


def add(file: Path, line: str | None, text: str) -> None:
    """Behind the one line that is so, or at the end."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    places = [place for place, found in enumerate(lines, 1) if found.rstrip("\n") == line]
    assert line is None or len(places) == 1, f"{line!r} stands {len(places)} times in {file.name}"
    lines.insert(places[0] if places else len(lines), text)
    file.write_text("".join(lines), encoding="utf-8")
