"""Differences from a baseline against SciPy; the radar against the paper's numbers."""

from typing import Any, ClassVar

import numpy as np
import pytest
from scipy import stats

from app.domain.gates.baselines import paired_rows, unpaired_rows
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.results.radar import radar
from tests.domain.small_series import normals, series_of


class TestBaselines:
    def test_paired_is_sharper_than_unpaired(self) -> None:
        first = normals(80)
        baseline, audit = series_of([first.tolist()]), series_of([(first + 0.1).tolist()])
        paired: Any = next(row for row in paired_rows(baseline, audit) if row["group"] == "micro")
        unpaired: Any = next(row for row in unpaired_rows(baseline, audit) if row["group"] == "micro")
        assert paired["difference"] == pytest.approx(0.1)
        assert unpaired["difference"] == pytest.approx(0.1)
        assert paired["ci95_high"] - paired["ci95_low"] < 1e-9
        width = unpaired["ci95_high"] - unpaired["ci95_low"]
        assert width == pytest.approx(2 * 1.96 * first.std() * np.sqrt(2 / 80), rel=0.15)

    def test_unpaired_agrees_with_scipy(self) -> None:
        first, second = normals(70), normals(50, 0.5, seed=1)
        rows = unpaired_rows(series_of([first.tolist()]), series_of([second.tolist()]))
        row = next(row for row in rows if row["group"] == "micro")
        theirs = stats.bootstrap(
            (second, first), lambda a, b, axis: a.mean(axis) - b.mean(axis), method="percentile", rng=3
        )
        assert row["ci95_low"] == pytest.approx(theirs.confidence_interval.low, abs=0.05)
        assert row["ci95_high"] == pytest.approx(theirs.confidence_interval.high, abs=0.05)

    def test_only_groups_of_both(self) -> None:
        baseline = series_of([[0.1, 0.2]], sources=("x", "x"))
        audit = series_of([[0.1, 0.2]], sources=("x", "y"))
        groups = {(row["group_by"], row["group"]) for row in unpaired_rows(baseline, audit)}
        assert ("source", "y") not in groups
        assert ("source", "x") in groups


class TestRadar:
    means: ClassVar = {
        ("entropy", "spatial"): 0.894,
        ("noise_reaction", "noise@0.05"): 0.555,
        ("geometric_resilience", "all"): 0.7,
        ("degradation", "salience_removed"): 0.501,
        ("degradation", "non_salience_removed"): 0.849,
        ("stability", "pairs"): 0.747,
    }

    def test_the_papers_densenet(self) -> None:
        """Cross-entropy DenseNet of Table 1: low entropy is good, so it is turned round."""
        assert radar(Protocol(), self.means) == {
            "entropy": pytest.approx(0.106),
            "noise_reaction": pytest.approx(0.555),
            "geometric_resilience": pytest.approx(0.7),
            "degradation": pytest.approx((0.499 + 0.849) / 2),
            "stability": pytest.approx(0.747),
        }

    def test_missing_is_not_zero_and_values_are_clipped(self) -> None:
        found = radar(Protocol().without("stability"), self.means | {("noise_reaction", "noise@0.05"): -0.2})
        assert (found["stability"], found["noise_reaction"]) == (None, 0.0)
        del (few := dict(self.means))["degradation", "salience_removed"]
        assert radar(Protocol(), few)["degradation"] is None

    def test_chosen_transformations_are_averaged(self) -> None:
        protocol = ProtocolRequest.model_validate(
            {"measures": {"geometric_resilience": {"groups": ["flips"]}}}
        ).resolve()
        means = {
            ("geometric_resilience", f"flip_{way}"): score for way, score in (("horizontal", 0.6), ("vertical", 0.2))
        }
        assert radar(protocol, means)["geometric_resilience"] == pytest.approx(0.4)
