"""A limit means what its decimal digits say, whatever is left of them in binary."""

import pytest

from app.domain.gates.conditions import EQUAL_WITHIN
from tests.domain.test_verdicts import Json, audit, outcome, row, verdict


def against(before: float, after: float, text: str) -> Json:
    compared = row(after, view="stability.pairs") | {
        "mean_first": before,
        "mean_second": after,
        "difference": after - before,
        "subject": "",
    }
    own = audit(row(after, view="stability.pairs"))
    [found] = verdict(own, text, baseline=own, compared=(compared,))["conditions"]
    return found


@pytest.mark.parametrize(("before", "after", "margin"), [(0.98, 0.96, 0.02), (0.8, 0.7, 0.1), (1, 0.99, 0.01)])
def test_exactly_at_its_margin_it_is_not_worse(before: float, after: float, margin: float) -> None:
    assert after - before < -margin, "binary says otherwise"
    found = against(before, after, f"stability.mean not worse than baseline by more than {margin}")
    assert found["outcome"] == "passed", found["explanation"]
    assert against(before, after - 1e-6, found["condition"])["outcome"] == "failed"


def test_of_other_statistics() -> None:
    own, before = audit(row(0.5, p95=0.1 + 0.2)), audit(row(0.5, p95=0.2))
    assert outcome(own, "entropy.p95 not worse than baseline by more than 0.1", baseline=before) == "passed"


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (0.1 + 0.2, "entropy.mean <= 0.3", "passed"),
        (0.1 + 0.2, "entropy.mean > 0.3", "failed"),
        (0.8 - 0.1, "entropy.mean >= 0.7", "passed"),
        (0.8 - 0.1, "entropy.mean < 0.7", "failed"),
        (0.3 + 1e-6, "entropy.mean <= 0.3", "failed"),
        (0.3 + 1e-6, "entropy.mean > 0.3", "passed"),
        (0.7 - 1e-6, "entropy.mean >= 0.7", "failed"),
        (0.7 - 1e-6, "entropy.mean < 0.7", "passed"),
    ],
)
def test_limits(value: float, text: str, expected: str) -> None:
    assert outcome(audit(row(value)), text) == expected


def test_ends_of_intervals() -> None:
    found = row(0.2, ci95_low=0.15, ci95_high=0.1 + 0.2)
    assert outcome(audit(found), "entropy.mean <= 0.3 (ci)") == "passed"


def test_no_more_than_noise_is_forgiven() -> None:
    assert outcome(audit(row(0.5 + 2 * EQUAL_WITHIN)), "entropy.mean <= 0.5") == "failed"
