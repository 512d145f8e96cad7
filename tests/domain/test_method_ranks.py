"""Ranks of models under several methods, held to SciPy's Kendall tau."""

from typing import Any, cast

import numpy as np
import pytest
from scipy.stats import kendalltau

from app.domain.findings.method_verdicts import method_verdicts
from app.domain.method_ranks import kendall_tau, method_ranks
from app.domain.results.documents import ResultsDocument

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
    assert kendall_tau(first, second) == pytest.approx(kendalltau(first, second).statistic, abs=1e-12)
    assert kendall_tau([1.0] * 8, second) is None


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


def test_numbers_that_say_nothing_rank_nothing() -> None:
    made = document([[0.5, 0.6], [0.9, 0.8]], [[0.1, 0.2], [0.4, 0.5]])
    for row in made["summaries"]:
        row["says_nothing"] = ["few-samples"] if row["measure"] == "entropy" else []
    assert [one["measure"] for one in method_ranks(made)] == ["noise_reaction"]


def test_one_model_ranks_nothing() -> None:
    assert [*method_ranks(document([[0.5], [0.6]], [[0.1], [0.2]]))] == []
