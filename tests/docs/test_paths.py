"""Every file and folder of the code that the documentation names is there, but for those that a recipe makes."""

import re
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGES = [*sorted((REPOSITORY / "docs").glob("*.md")), REPOSITORY / "README.md"]
NAMED = re.compile(r"`((?:app|worker|tests|benchmarks)/[\w/.]*)`(?!, (?:new:|as `))")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_named_paths_exist(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [path for path in named if not (REPOSITORY / path).exists()] == []
