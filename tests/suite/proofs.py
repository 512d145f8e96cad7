"""What each test file proves, by the first words of its docstring: `make test-list` prints it, mkdocs shows it."""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = "<!-- the list of test files -->"
"""Where docs/testing.md has it."""


def files() -> Iterator[Path]:
    return (path.relative_to(ROOT) for path in sorted((ROOT / "tests").rglob("test_*.py")))


def proof(path: Path) -> str:
    """The first paragraph of its docstring; empty where it has none."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ")


def as_markdown() -> str:
    """A heading a folder, a line a file."""
    folders: dict[str, list[str]] = defaultdict(list)
    for path in files():
        folders[str(path.parent)].append(f"- `{path.name}`: {proof(path)}")
    return "\n\n".join("\n".join([f"### {folder}", "", *lines]) for folder, lines in folders.items())


def on_page_markdown(markdown: str, **_: object) -> str:
    """A hook of mkdocs: nobody keeps the list by hand, so it cannot be old."""
    return markdown.replace(PLACE, as_markdown())


if __name__ == "__main__":
    sys.stdout.write(as_markdown() + "\n")
