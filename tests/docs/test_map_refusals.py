"""The table of what is no map is the code's."""

from app.domain.refusals.maps import MAP_REFUSALS
from tests.docs.pages import ROOT


def test_every_refusal_of_maps_has_its_row() -> None:
    rows = [f"| `{each.code}` | {each.cause} | {each.sentence} {each.way_out} |" for each in MAP_REFUSALS]
    page = (ROOT / "docs" / "map-sets.md").read_text(encoding="utf-8")
    shown = [line for line in page.partition("## Why a map is not taken")[2].splitlines() if line.startswith("| `")]
    assert shown == sorted(rows, key=lambda row: row.split("`")[1])
