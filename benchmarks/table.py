"""What a benchmark found: rows with a target, as text and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line: what was measured, the number, what was asked for, and what else there is to say."""

    what: str
    found: str
    target: str = ""
    note: str = ""


@dataclass(frozen=True)
class Section:
    """A heading, how it was measured, and the rows."""

    title: str
    method: str
    rows: Sequence[Row]

    def to_markdown(self) -> str:
        lines = [f"## {self.title}", "", self.method, "", "| | found | asked for | |", "| --- | --- | --- | --- |"]
        lines += [f"| {row.what} | {row.found} | {row.target} | {row.note} |" for row in self.rows]
        return "\n".join(lines) + "\n"


def at_least(found: float, target: float, digits: int = 2) -> dict[str, str]:
    """The cells of a ratio that should reach a target."""
    return {"found": f"{found:.{digits}f}", "target": f">= {target:g}{'' if found >= target else ' (missed)'}"}


def at_most(found: float, target: float, digits: int = 2) -> dict[str, str]:
    """The cells of a number that should stay under a target."""
    form = f"{found:.1e}" if found and found < 1e-3 else f"{found:.{digits}f}"
    return {"found": form, "target": f"<= {target:g}{'' if found <= target else ' (missed)'}"}
