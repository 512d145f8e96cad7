"""docs/design.md tells of as many rooms and arrows of worker/ as there are, and docs/contributing.md of every room."""

import re

from docs.rooms import rooms_and_arrows
from tests.conftest import REPOSITORY


def test_rooms_and_arrows_are_those_that_the_design_tells_of() -> None:
    page = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8")
    told = re.findall(r"of `worker/` (\d+) rooms\s+with (\d+) arrows", page)
    rooms, arrows = rooms_and_arrows("worker")
    assert told == [(str(len(rooms)), str(len(arrows)))]


def test_every_folder_stands_in_the_map() -> None:
    page = (REPOSITORY / "docs" / "contributing.md").read_text(encoding="utf-8")
    table = page.partition("## Map of the rooms")[2].partition("## Glossary")[0]
    folders = [path.parent for root in ("app", "worker") for path in (REPOSITORY / root).glob("*/__init__.py")]
    missing = [f"{folder.parent.name}/{folder.name}/" for folder in folders if f"/{folder.name}/`" not in table]
    assert missing == []
