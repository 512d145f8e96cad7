"""The recipes of docs/contributing.md lead to something that works, in a copy of the code."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.recipes.conftest import SERVED
from tests.recipes.following import RECIPES, check_of, copied, follow

COPIED = ("app", "docs", "tests", "worker")
LINKED = ("examples", "alembic", "pyproject.toml", "README.md")
ALONE = [name for name in RECIPES if check_of(name).startswith("python ")]
"""The others are followed in a tree of which the service runs."""


@pytest.mark.parametrize("name", ALONE)
def test_is_followed(name: str, tmp_path: Path) -> None:
    follow(copied(tmp_path, COPIED, LINKED), name)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, *shlex.split(check_of(name))[1:]]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_none_is_left_out() -> None:
    wanted = {"A measure", "A CAM method", "A deformation", "An upload format", "A resource", "A setting"}
    assert wanted <= RECIPES.keys() == {*ALONE, *SERVED}


def test_each_ends_with_a_check() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for name in RECIPES:
        parts = check_of(name).split(" && ")
        assert name in ALONE or {part.removeprefix("make ") for part in parts} <= set(targets)
