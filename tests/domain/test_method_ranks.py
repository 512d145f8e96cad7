"""Ranks of models under several methods, held to SciPy's Kendall tau."""

from itertools import combinations
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kendalltau

from app.domain.comparisons.compared_ranks import compared_ranks, names_of
from app.domain.comparisons.method_ranks import kendall_tau, method_ranks
from app.domain.comparisons.model_differences import MethodScores, model_differences
from app.domain.findings.method_verdicts import method_verdicts, verdicts_of
from app.domain.protocol import ProtocolRequest
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.domain.results.ranks import ModelDifference
from app.domain.summaries.groups import Groups
from app.domain.vocabulary import CamMethod

PROTOCOL = {
    "salience": {"methods": ["gradcam", "layercam"]},
    "measures": {"entropy": {}, "noise_reaction": {"curve": []}},
}


def document(entropy: list[list[float]], noise: list[list[float]]) -> ResultsDocument:
    """By subject: of each method a number of each model."""
    methods = {"gradcam": "", "layercam": ":layercam"}
    columns = (("entropy", "spatial", entropy), ("noise_reaction", "noise@0.05", noise))
    total = {"group_by": "total", "group": "macro"}
    return cast(
        "ResultsDocument",
        {
            "protocol": PROTOCOL,
            "models": [
                {"model_id": f"m{place}{end}", "name": f"model {place}", "method": method}
                for method, end in methods.items()
                for place in range(len(entropy[0]))
            ],
            "summaries": [
                total | {"measure": measure, "view": view, "model_id": f"m{place}{end}", "mean": mean}
                for measure, view, numbers in columns
                for end, own in zip(methods.values(), numbers, strict=True)
                for place, mean in enumerate(own)
            ],
        },
    )


@pytest.mark.parametrize("seed", range(6))
def test_tau_is_scipys(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.integers(0, 5, (2, 8)).tolist()  # with ties
    pairs = [*combinations(zip(first, second, strict=True), 2)]
    signs = [(int(np.sign(a - c)), int(np.sign(b - d))) for (a, b), (c, d) in pairs]
    assert kendall_tau(signs) == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
    assert kendall_tau([(0, other) for _, other in signs]) is None


def test_the_best_by_each_method() -> None:
    """Low entropy is better, and so is a high reaction to noise."""
    made = document([[0.5, 0.6, 0.7], [0.9, 0.8, 0.7]], [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    found: dict[str, Any] = {one["measure"]: one for one in method_ranks(made)}
    assert found["entropy"]["tau"] == -1
    assert found["entropy"]["best_model_ids"] == ["m0", "m2"]
    assert (found["noise_reaction"]["tau"], found["noise_reaction"]["best_model_ids"]) == (1, ["m2", "m2"])
    made["method_ranks"] = [*found.values()]
    [finding] = method_verdicts(made)
    assert (finding["code"], finding.get("measure")) == ("verdict-depends-on-method", "entropy")
    assert "chooses model 0 under gradcam, and model 2 under layercam" in finding["text"]


@pytest.mark.parametrize(("other", "tau"), [([0.1, 0.4, 0.3, 0.2], 0), ([0.1, 0.2, 0.4, 0.3], 2 / 3)])
def test_ranks_that_change_below_the_best(other: list[float], tau: float) -> None:
    """1234 against 1432 is three pairs of six turned round; against 1243 it is one, which the threshold lets pass."""
    numbers = [[0.1, 0.2, 0.3, 0.4], other]
    made = document(numbers, [[0.4, 0.3, 0.2, 0.1]] * 2)
    made["method_ranks"] = [*method_ranks(made)]
    entropy, noise = made["method_ranks"]
    assert entropy["tau"] == pytest.approx(tau)
    assert (entropy["best_model_ids"], noise["tau"]) == (["m0", "m0"], 1)
    found = [*method_verdicts(made)]
    assert [(one["code"], one.get("measure")) for one in found] == [("ranks-depend-on-method", "entropy")] * (tau < 0.5)
    assert all("although both choose model 0: Kendall's tau is 0.00, below 0.5" in one["text"] for one in found)
    made["protocol"] = {**PROTOCOL, "findings": {"method_tau": 0.9}}
    assert len([*method_verdicts(made)]) == 1


def differences(made: ResultsDocument, low: float, high: float) -> list[ModelDifference]:
    """Of model 0 and 1 by entropy under both methods, as far apart as their means, with so wide intervals."""
    rows: list[ModelDifference] = []
    for method, end in (("gradcam", ""), ("layercam", ":layercam")):
        means = [row["mean"] for row in made["summaries"] if row["measure"] == "entropy"]
        own = means[:2] if not end else means[2:]
        difference = (own[1] or 0) - (own[0] or 0)
        row: ModelDifference = {
            "measure": "entropy",
            "view": "spatial",
            "method": method,
            "model_ids": ["m0", "m1"],
            "difference": difference,
            "ci95_low": difference + low,
            "ci95_high": difference + high,
        }
        rows.append(row)
    return rows


@pytest.mark.parametrize(("wide", "tau", "reverses"), [(0.05, -1, True), (0.15, None, False)])
def test_models_that_do_not_differ_beyond_noise_are_ties(*, wide: float, tau: float | None, reverses: bool) -> None:
    """By 0.1 under both methods, the other way round: ranks, or ties where the paired interval is wider."""
    made = document([[0.5, 0.6], [0.8, 0.7]], [[0.1, 0.2], [0.4, 0.5]])
    made["model_differences"] = differences(made, -wide, wide)
    made["method_ranks"] = [*method_ranks(made)]
    entropy = made["method_ranks"][0]
    assert (entropy["tau"], entropy["best_model_ids"], entropy["reverses"]) == (tau, ["m0", "m1"], reverses)
    assert made["method_ranks"][1]["tau"] is None, "noise reaction has no intervals here"
    assert [one["code"] for one in method_verdicts(made)] == ["verdict-depends-on-method"] * reverses


def test_differences_are_paired_with_an_interval_by_hand() -> None:
    """Second minus first is 0.2 in three samples of four and 0.4 in one; of an undefined score there is none."""
    protocol = ProtocolRequest.model_validate({"measures": {"entropy": {}}}).resolve()
    first = np.array([0.1, 0.5, 0.9, 0.3, 0.2])
    columns = protocol.columns()
    place = [column.view for column in columns].index("spatial")

    def scored(model: str, method: CamMethod, values: NDArray[np.float64]) -> MethodScores:
        scores = np.full((5, len(columns)), np.nan)
        scores[:, place] = values
        return MethodScores(model, method, columns, scores)

    second = first + np.array([0.2, 0.2, 0.2, 0.4, np.nan])
    of_methods = [(CamMethod.GRADCAM, second), (CamMethod.LAYERCAM, first + 0.0)]
    models = [one for method, other in of_methods for one in (scored("a", method, first), scored("b", method, other))]
    rows = model_differences(models, protocol, Groups((None,) * 5, (None,) * 5))
    assert [(row["method"], row["model_ids"]) for row in rows] == [("gradcam", ["a", "b"]), ("layercam", ["a", "b"])]
    assert rows[0]["difference"] == pytest.approx(0.25)
    low, high = rows[0]["ci95_low"], rows[0]["ci95_high"]
    assert low is not None
    assert high is not None
    assert 0.2 - 1e-6 <= low < 0.25 < high <= 0.4
    assert (rows[1]["difference"], rows[1]["ci95_low"], rows[1]["ci95_high"]) == (0, 0, 0)
    assert model_differences(models[:2], protocol, Groups((None,) * 5, (None,) * 5)) == []


def test_numbers_that_say_nothing_rank_nothing() -> None:
    made = document([[0.5, 0.6], [0.9, 0.8]], [[0.1, 0.2], [0.4, 0.5]])
    for row in made["summaries"]:
        row["says_nothing"] = ["few-samples"] if row["measure"] == "entropy" else []
    assert [one["measure"] for one in method_ranks(made)] == ["noise_reaction"]


def test_one_model_ranks_nothing() -> None:
    assert [*method_ranks(document([[0.5], [0.6]], [[0.1], [0.2]]))] == []


def compared(means: dict[str, tuple[float, float]], *, width: float, silent: str = "") -> ComparisonResults:
    """By model: of each model a side under both methods, with differences that have so wide an interval."""
    subjects = [(f"{model}{end}", own[place]) for model, own in means.items() for place, end in enumerate(ENDS)]
    number = {"measure": "entropy", "view": "spatial"}
    return cast(
        "ComparisonResults",
        {
            "sides": [
                {
                    "models": [{"model_id": key, "name": key[:1].upper(), "method": METHODS[":" in key]}],
                    "totals": [number | {"mean": mean, "says_nothing": ["few-samples"] * (key == silent)}],
                }
                for key, mean in subjects
            ],
            "differences": [
                number
                | {"first": one, "second": two, "group_by": "total", "group": "macro", "says_nothing": []}
                | {"ci95_low": subjects[two][1] - subjects[one][1] - width / 2}
                | {"ci95_high": subjects[two][1] - subjects[one][1] + width / 2}
                for one, two in combinations(range(len(subjects)), 2)
            ],
        },
    )


ENDS, METHODS = ("", ":layercam"), ("gradcam", "layercam")
ORDERS = {"a": (0.1, 0.3), "b": (0.2, 0.2), "c": (0.3, 0.1)}


def test_models_of_several_audits_rank_in_a_comparison() -> None:
    """Low entropy is better: a, b, c under one method and c, b, a under the other."""
    protocol = ProtocolRequest.model_validate(PROTOCOL).resolve()
    results = compared(ORDERS, width=0.1)
    [ranks] = compared_ranks(results, protocol)
    assert (ranks["methods"], ranks["n_models"], ranks["tau"]) == ([*METHODS], 3, -1)
    assert (ranks["best_model_ids"], ranks["reverses"]) == (["a", "c"], True)
    [finding] = verdicts_of([ranks], names_of(results), 0.5)
    assert "chooses A under gradcam, and C under layercam" in finding["text"]
    [ranks] = compared_ranks(compared(ORDERS, width=0.3), protocol)
    assert (ranks["tau"], ranks["reverses"]) == (-1, True), "of a and c alone, which differ by more than that"
    [ranks] = compared_ranks(compared(ORDERS, width=0.5), protocol)
    assert (ranks["tau"], ranks["reverses"]) == (None, False), "all are ties"
    [ranks] = compared_ranks(compared(ORDERS, width=0.1, silent="c"), protocol)
    assert (ranks["n_models"], ranks["best_model_ids"]) == (2, ["a", "b"]), "a number that says nothing ranks nothing"
    assert [*compared_ranks(compared({"a": (0.1, 0.3)}, width=0.1), protocol)] == []
