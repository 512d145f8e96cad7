"""What stands in a cell, of made-up verdicts."""

from typing import Any

import pytest

from app.commands.tables import verdict_tables

Json = dict[str, Any]

NOT_WORSE = "entropy.mean not worse than baseline by more than 0.05"


def cells(condition: str, **numbers: Json | float | None) -> tuple[str, str]:
    row = {"condition": condition, "outcome": "passed", "value": 0.3927, "threshold": 0.05, "explanation": "Why."}
    audit = {"verdict": "passed", "gate": {"name": "g"}, "conditions": [row | {"difference": None} | numbers]}
    [shown] = verdict_tables(audit)
    found = {column.header: [str(cell) for cell in column.cells] for column in shown.columns}
    return found["value"][0], found["limit"][0]


@pytest.mark.parametrize(
    ("condition", "difference", "value"),
    [
        ("entropy.mean <= 0.05", None, "0.3927"),
        ('entropy[source="not worse than baseline"].mean <= 0.05', None, "0.3927"),
        (NOT_WORSE, 0.0121, "0.0121 (difference)"),
        ('entropy[source="\\"x"].mean not worse than baseline', -0.3, "-0.3000 (difference)"),
        (NOT_WORSE, None, "- (difference)"),
    ],
)
def test_a_limit_stands_beside_what_it_limits(condition: str, difference: float | None, value: str) -> None:
    assert cells(condition, difference=difference) == (value, "0.0500")
