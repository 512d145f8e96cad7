"""Verdicts by hand: from a few summaries to outcomes and words."""

from typing import Any

import pytest

from app.domain.audits.differing_fields import Basis, differing_fields
from app.domain.gates.audit_numbers import AuditNumbers
from app.domain.gates.compared_numbers import GateNumbers
from app.domain.gates.conditions import Scope
from app.domain.gates.parser import parse_condition
from app.domain.gates.verdicts import judge
from app.domain.protocol import Protocol

Json = Any
"""Documents written by hand, with what a test is about and no more."""


def row(mean: float | None, group: str = "total/macro", view: str = "entropy.spatial", **more: Any) -> Json:
    """A summary; its interval is 0.1 to each side."""
    measure, _, view = view.partition(".")
    by, _, name = group.partition("/")
    interval = (
        {"ci95_low": None, "ci95_high": None} if mean is None else {"ci95_low": mean - 0.1, "ci95_high": mean + 0.1}
    )
    identity = {"measure": measure, "view": view, "model_id": "m", "group_by": by, "group": name, "says_nothing": []}
    return identity | {"n": 0 if mean is None else 5, "mean": mean, "p95": mean, "flip_rate": 0.2} | interval | more


def audit(*rows: Json, performance: list[Json] | None = None, aggregate: list[Json] | None = None) -> AuditNumbers:
    models = sorted({one["model_id"] for one in rows if one["model_id"]})
    document: Json = {
        "protocol": Protocol().to_json(),
        "models": [{"model_id": model, "name": f"run {model}"} for model in models],
        "summaries": list(rows),
        "performance": performance or [],
        "performance_reason": "The data set has no labels.",
    }
    return AuditNumbers(document, list(rows) if aggregate is None else aggregate)


def verdict(
    numbers: AuditNumbers, *texts: str, baseline: AuditNumbers | None = None, compared: tuple[Json, ...] = ()
) -> Json:
    beside = GateNumbers(numbers, baseline, compared, "paired" if baseline else "the audit names no baseline")
    return judge([parse_condition(text) for text in texts], beside)


def outcome(numbers: AuditNumbers, text: str, **more: Any) -> str:
    found: str = verdict(numbers, text, **more)["conditions"][0]["outcome"]
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entropy.spatial.mean <= 0.5", "passed"),
        ("entropy.spatial.mean < 0.5", "failed"),
        ("entropy.spatial.mean >= 0.5", "passed"),
        ("entropy.spatial.mean > 0.5", "failed"),
        ("entropy.mean <= 0.6 (ci)", "passed"),
        ("entropy.mean < 0.6 (ci)", "inconclusive"),
        ("entropy.mean <= 0.55 (ci)", "inconclusive"),
        ("entropy.mean <= 0.39 (ci)", "failed"),
        ("entropy.ci95_high <= 0.55", "failed"),
        ("entropy.ci95_low <= 0.45", "passed"),
        ("entropy.flip_rate < 0.3", "passed"),
        ("entropy.n >= 5", "passed"),
        ("entropy.histogram.mean <= 1", "failed"),
        ("entropy.histogram.mean <= 1 (missing ok)", "passed"),
        ("entropy[micro].mean <= 1", "failed"),
        ("stability.mean >= 0", "failed"),
    ],
)
def test_thresholds(text: str, expected: str) -> None:
    assert outcome(audit(row(0.5)), text) == expected


@pytest.mark.parametrize(
    ("texts", "expected", "warnings"),
    [
        (["entropy.mean < 1"], "passed", 0),
        (["entropy.mean < 1", "entropy.mean < 0.5 (ci)"], "inconclusive", 0),
        (["entropy.mean < 0.5 (ci)", "entropy.mean < 0.1"], "failed", 0),
        (["entropy.mean < 0.1 (warn)", "entropy.mean < 0.5 (ci, warn)"], "passed", 2),
    ],
)
def test_the_gravest_binding_outcome_is_the_verdict(texts: list[str], expected: str, warnings: int) -> None:
    found = verdict(audit(row(0.5)), *texts)
    assert (found["verdict"], found["warnings"]) == (expected, warnings)


def test_the_worst_of_several_speaks_for_all() -> None:
    numbers = audit(row(0.5), row(0.2, "source/x"), row(0.7, "source/y"), row(0.9, "label/a"))
    for text, subject, value in (
        ("entropy[worst source].mean <= 1", "source y", 0.7),
        ("entropy[worst source].mean >= 0", "source x", 0.2),
        ("entropy[worst label].mean <= 1", "label a", 0.9),
        ("entropy[worst source].mean <= 0.8 (ci)", "source y", 0.7),
    ):
        [found] = verdict(numbers, text)["conditions"]
        assert (found["subject"], found["value"]) == (subject, value), text
    assert outcome(numbers, "entropy[source=x].mean <= 0.2") == "passed"
    assert outcome(numbers, "entropy[source=z].mean <= 1") == "failed"


def test_a_number_that_says_nothing_is_told_whatever_it_comes_to() -> None:
    """The worst's own; a condition that passes on it passes on nothing."""
    numbers = audit(row(0.5, says_nothing=["few-samples"]), row(0.2, "source/x"), row(0.7, "source/y"))
    found = verdict(numbers, "entropy.mean <= 1", "entropy.mean <= 0.1", "entropy[worst source].mean <= 1")
    assert [(one["outcome"], one["says_nothing"]) for one in found["conditions"]] == [
        ("passed", ["few-samples"]),
        ("failed", ["few-samples"]),
        ("passed", []),
    ]
    told = "The number says nothing: fewer than 20 samples have a score."
    assert [told in one["explanation"] for one in found["conditions"]] == [True, True, False]


def test_a_group_without_a_number_fails_the_worst() -> None:
    numbers = audit(row(0.2, "source/x"), row(None, "source/y"))
    [found] = verdict(numbers, "entropy[worst source].mean <= 1")["conditions"]
    assert (found["outcome"], found["subject"], found["value"]) == ("failed", "source y", None)
    assert "no sample has a defined score" in found["explanation"]
    [found] = verdict(numbers, "entropy[worst source].mean <= 0.1 (missing ok)")["conditions"]
    assert (found["outcome"], found["subject"]) == ("failed", "source x")


def test_several_models() -> None:
    """The aggregate's own mean; controls and flips are means over models; the worst model by its own row."""
    rows = [row(0.4, model_id="a", flip_rate=0.1), row(0.6, model_id="b", flip_rate=0.5)]
    numbers = audit(*rows, aggregate=[row(0.5, model_id=None, flip_rate=None)])
    found = verdict(numbers, "entropy.mean <= 1", "entropy.flip_rate <= 1", "entropy[worst model].mean <= 1")[
        "conditions"
    ]
    assert [one["value"] for one in found] == [0.5, pytest.approx(0.3), 0.6]
    assert found[2]["subject"] == "model run b"


def test_performance() -> None:
    measured = [
        {"condition": "clean", "model_id": model, "accuracy": accuracy, "auroc": auroc}
        for model, accuracy, auroc in (("a", 0.8, 0.9), ("b", 0.6, None))
    ]
    numbers = audit(row(0.5, model_id="a"), row(0.5, model_id="b"), performance=measured)
    assert verdict(numbers, "performance.accuracy >= 0.7")["conditions"][0]["value"] == pytest.approx(0.7)
    assert verdict(numbers, "performance[worst model].accuracy >= 0")["conditions"][0]["subject"] == "model run b"
    assert outcome(numbers, "performance.auroc >= 0") == "failed"
    assert outcome(audit(row(0.5)), "performance.auroc >= 0 (missing ok)") == "passed"


class TestBaselines:
    """Entropy is better low; everything that is better high is worse by a negative difference."""

    def compared(self, difference: float, view: str = "entropy.spatial") -> Json:
        both = {"mean_first": 0.5, "mean_second": 0.5 + difference, "subject": "", "difference": difference}
        return row(0.0, view=view) | both | {"ci95_low": difference - 0.1, "ci95_high": difference + 0.1}

    @pytest.mark.parametrize(
        ("difference", "text", "expected"),
        [
            (-0.3, "entropy.mean not worse than baseline", "passed"),
            (0.01, "entropy.mean not worse than baseline", "failed"),
            (0.01, "entropy.mean not worse than baseline by more than 0.02", "passed"),
            (0.01, "entropy.mean not worse than baseline by more than 0.02 (ci)", "inconclusive"),
            (0.01, "entropy.mean not worse than baseline by more than 0.2 (ci)", "passed"),
            (0.5, "entropy.mean not worse than baseline by more than 0.2 (ci)", "failed"),
            (-0.01, "stability.mean not worse than baseline", "failed"),
            (-0.01, "stability.mean not worse than baseline by more than 0.02 (ci)", "inconclusive"),
            (0.3, "stability.mean not worse than baseline by more than 0.02 (ci)", "passed"),
            (-0.3, "stability.mean not worse than baseline by more than 0.02 (ci)", "failed"),
        ],
    )
    def test_of_means(self, difference: float, text: str, expected: str) -> None:
        view = "stability.pairs" if text.startswith("stability") else "entropy.spatial"
        own = audit(row(0.5, view=view))
        assert outcome(own, text, baseline=own, compared=(self.compared(difference, view),)) == expected

    def test_of_other_statistics(self) -> None:
        own, before = audit(row(0.5, p95=0.9, flip_rate=0.3)), audit(row(0.5, p95=0.8, flip_rate=0.1))
        for text, expected in (
            ("entropy.p95 not worse than baseline by more than 0.2", "passed"),
            ("entropy.p95 not worse than baseline by more than 0.05", "failed"),
            ("entropy.flip_rate not worse than baseline by more than 0.1", "failed"),
        ):
            assert outcome(own, text, baseline=before) == expected, text
        [found] = verdict(own, "entropy.p95 not worse than baseline", baseline=before)["conditions"]
        assert (found["value"], found["baseline_value"], found["difference"]) == (0.9, 0.8, pytest.approx(0.1))
        assert found["threshold"] == 0

    def test_a_group_that_only_the_audit_has_is_missing(self) -> None:
        """A new source must not pass unseen, whatever the statistic."""
        own = audit(row(0.5, "source/x"), row(0.5, "source/y"))
        before = audit(row(0.5, "source/x"))
        compared = (self.compared(0.0) | {"group_by": "source", "group": "x"},)
        for statistic in ("mean", "p95"):
            text = f"entropy[worst source].{statistic} not worse than baseline by more than 1"
            [found] = verdict(own, text, baseline=before, compared=compared)["conditions"]
            assert (found["outcome"], found["subject"], found["difference"]) == ("failed", "source y", None)
            assert outcome(own, f"{text} (missing ok)", baseline=before, compared=compared) == "passed"

    def test_nothing_to_compare_with(self) -> None:
        text = "entropy.mean not worse than baseline"
        own = audit(row(0.5))
        [found] = verdict(own, text)["conditions"]
        assert (found["outcome"], found["value"]) == ("failed", None)
        assert "names no baseline" in found["explanation"]
        assert outcome(own, f"{text} (missing ok)") == "passed"
        assert outcome(own, text, baseline=own) == "failed"
        assert outcome(own, "entropy.p95 not worse than baseline", baseline=audit(row(0.5, "source/x"))) == "failed"


def test_the_words_can_be_checked_by_hand() -> None:
    def words(text: str) -> str:
        found: str = verdict(audit(row(0.5)), text)["conditions"][0]["explanation"]
        return found

    assert words("entropy.mean <= 0.45") == "entropy.mean is 0.5; this is not <= 0.45."
    assert words("entropy.mean <= 0.45 (ci)") == (
        "entropy.mean is 0.5, 95% interval 0.4 to 0.6; the interval straddles the limit <= 0.45."
    )
    assert words("stability.mean >= 0.8") == (
        "stability.mean is missing: the audit has no stability.pairs; which fails the condition."
    )


def test_every_scope_has_rows_that_it_selects() -> None:
    for scope in Scope:
        name = "=x" if scope in {Scope.LABEL, Scope.SOURCE} else ""
        rows = [
            row(0.5, f"{by}/{group}")
            for by, group in (("total", "macro"), ("total", "micro"), ("label", "x"), ("source", "x"))
        ]
        assert outcome(audit(*rows), f"entropy[{scope}{name}].mean <= 1") == "passed", scope


def test_differing_fields() -> None:
    one = Basis("sha256:1", [1, 2], {"seed": 0, "measures": {"entropy": {"headline": "spatial"}, "stability": {}}})
    assert differing_fields(one, one) == []
    other = Basis("sha256:2", None, {"seed": 1, "measures": {"entropy": {"headline": "histogram"}}})
    assert differing_fields(one, other) == [
        "dataset_digest",
        "sample_draw",
        "protocol.measures.entropy.headline",
        "protocol.measures.stability",
        "protocol.seed",
    ]
