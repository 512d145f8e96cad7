"""The documentation's fenced blocks, in order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
RUN = ("sh", "python")
SHOWN = ("text", "json", "yaml", "toml")
"""Output and files, which nobody runs."""

_BLOCK = re.compile(r"^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_INDENTED = re.compile(r"(?:\A|\n)\n {4}\S")


@dataclass(frozen=True)
class Block:
    """``line`` is where its text begins."""

    page: str
    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(page, found["language"], found["text"], line)


def has_indented_block(page: str) -> bool:
    """Such a block names no language, so that nothing would run it."""
    return _INDENTED.search(_BLOCK.sub("", (ROOT / page).read_text(encoding="utf-8"))) is not None
