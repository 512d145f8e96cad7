"""Gates that compare two numbers of one audit."""

from typing import Any

import pytest

from app.domain.gates.audit_numbers import AuditNumbers
from app.domain.gates.compared_numbers import GateNumbers
from app.domain.gates.parser import parse_condition
from app.domain.gates.tokens import ConditionError
from app.domain.gates.verdicts import judge
from app.domain.protocol import Protocol

Json = dict[str, Any]


def row(measure: str, view: str, mean: float | None, group: str = "macro", **changes: Any) -> Json:
    numbers: Json = {
        "mean": mean,
        "control_mean": 0.5,
        "ci95_low": None,
        "ci95_high": None,
        "n": 30,
        "says_nothing": [],
    }
    by = "total" if group == "macro" else "label"
    return (
        {"measure": measure, "view": view, "model_id": None, "group_by": by, "group": group, "says_nothing": []}
        | numbers
        | changes
    )


ROWS = [
    row("degradation", "salience_removed", 0.4),
    row("degradation", "non_salience_removed", 0.7),
    row("degradation", "salience_removed", 0.6, "cat"),
    row("degradation", "non_salience_removed", 0.5, "cat"),
    row("degradation", "salience_removed", 0.1, "dog"),
    row("degradation", "non_salience_removed", 0.9, "dog"),
    row("stability", "pairs", 0.6, says_nothing=["not-above-control"]),
    row("noise_reaction", "noise@0.05", None),
]
MODEL = {"models": [{"model_id": "m", "name": "run"}], "performance": [], "performance_reason": "no labels"}
PERFORMANCE = [
    {"condition": name, "model_id": "m", "accuracy": value, "auroc": None}
    for name, value in (("clean", 0.9), ("noise@0.1", 0.7))
]


def judged(condition: str, performance: Any = ()) -> Json:
    document: Any = MODEL | {
        "protocol": Protocol().to_json(),
        "findings": [],
        "summaries": [],
        "performance": performance,
    }
    rows: Any = ROWS
    numbers = GateNumbers(AuditNumbers(document, rows), None, [], "")
    (found,) = judge([parse_condition(condition)], numbers)["conditions"]
    return dict(found)


REMOVED, KEPT = "degradation.salience_removed", "degradation.non_salience_removed"


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        (f"{REMOVED}.mean < {KEPT}.mean", "passed"),
        (f"{REMOVED}.mean >= {KEPT}.mean", "failed"),
        (f"{REMOVED}[label=cat].mean < {KEPT}[label=cat].mean", "failed"),
        (f"{REMOVED}[worst label].mean < {KEPT}[worst label].mean", "failed"),
        (f"{REMOVED}[worst label].mean <= {KEPT}.mean", "passed"),
        ("stability.mean > stability.control_mean", "passed"),
        ("stability.mean > stability.control_mean (meaningful)", "failed"),
        ("stability.mean > noise_reaction.mean", "failed"),
        ("stability.mean > noise_reaction.mean (missing ok)", "passed"),
    ],
)
def test_outcomes(condition: str, outcome: str) -> None:
    assert str(parse_condition(condition)) == condition
    assert judged(condition)["outcome"] == outcome


def test_words_and_numbers() -> None:
    found = judged(f"{REMOVED}[worst label].mean < {KEPT}[worst label].mean")
    assert (found["subject"], found["value"], found["threshold"]) == ("label cat", 0.6, 0.5)
    assert found["difference"] == pytest.approx(0.1)
    assert found["baseline_value"] is None
    assert found["explanation"] == (
        f"{REMOVED}[worst label].mean (label cat) is 0.6; this is not < {KEPT}[worst label].mean, which is 0.5."
    )
    missing = judged("stability.mean > noise_reaction.mean")
    assert missing["threshold"] is None
    assert missing["explanation"].startswith("noise_reaction.mean is missing: ")


def test_accuracy_under_noise_against_the_clean_one() -> None:
    condition = "performance.noise@0.1.accuracy >= performance.clean.accuracy"
    assert judged(condition, PERFORMANCE)["outcome"] == "failed"


@pytest.mark.parametrize(
    "text",
    [
        f"{REMOVED}.mean < {KEPT}.mean (ci)",
        f"{REMOVED}.mean < {KEPT}[worst label].mean",
        f"{REMOVED}.mean < {KEPT}",
        f"{REMOVED}.mean < mean",
    ],
)
def test_what_is_not_said_so(text: str) -> None:
    with pytest.raises(ConditionError):
        parse_condition(text)
