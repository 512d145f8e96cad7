"""The documentation's table of refusals is the code's."""

from app.domain.refusals import REFUSALS
from tests.docs.pages import ROOT


def test_every_refusal_has_its_row() -> None:
    rows = [f"| `{each.code}` | {each.cause} | {each.sentence} {each.way_out} |" for each in REFUSALS]
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    shown = [line for line in page.partition("## Why a model is refused")[2].splitlines() if line.startswith("| `")]
    assert shown == sorted(rows, key=lambda row: row.split("`")[1])


def test_every_refusal_says_the_way_out() -> None:
    assert all(each.sentence.endswith((".", "}")) and each.way_out for each in REFUSALS)
