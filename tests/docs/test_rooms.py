"""docs/design.md tells of as many rooms and arrows of worker/ as there are."""

import re

from docs.rooms import rooms_and_arrows
from tests.conftest import REPOSITORY


def test_rooms_and_arrows_are_those_that_the_design_tells_of() -> None:
    page = (REPOSITORY / "docs" / "design.md").read_text(encoding="utf-8")
    told = re.findall(r"of `worker/` (\d+) rooms\s+with (\d+) arrows", page)
    rooms, arrows = rooms_and_arrows("worker")
    assert told == [(str(len(rooms)), str(len(arrows)))]
