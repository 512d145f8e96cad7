"""Tables of refusals, as the documentation shows them."""

from types import ModuleType

from app.domain.refusals.refusal import Refusal
from tests.docs.pages import ROOT


def refusals_of(*modules: ModuleType) -> list[Refusal]:
    """All that these define, in their order."""
    return [value for module in modules for value in vars(module).values() if isinstance(value, Refusal)]


def rows_of(refusals: list[Refusal]) -> list[str]:
    """A row each, by code."""
    rows = [f"| `{each.code}` | {each.cause} | {each.sentence} {each.way_out} |" for each in refusals]
    return sorted(rows, key=lambda row: row.split("`")[1])


def rows_shown(page: str, heading: str) -> list[str]:
    """The rows of the table below a heading of docs/."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    return [line for line in text.partition(heading)[2].splitlines() if line.startswith("| `")]
