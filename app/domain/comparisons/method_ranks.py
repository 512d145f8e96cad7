"""Does the verdict survive the method: whether models rank alike under every CAM method of an audit."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from app.domain.audits.subjects import model_of
from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.radar import headline_views
from app.domain.results.ranks import MethodRanks
from app.domain.results.totals import MACRO

Means = Mapping[str, float]
"""Of one method: macro means by model."""
Signs = Mapping[tuple[str, str, str], int]
"""By method and two models: whether the second's number is higher, beyond noise."""


def method_ranks(document: ResultsDocument) -> Iterator[MethodRanks]:
    """Of every headline number and pair of methods, over the models that have it under both; from results by subject.

    Numbers that say nothing, of few samples for instance, rank nothing. None where there is one model or one method.
    """
    for measure, views in headline_views(Protocol.model_validate(document["protocol"])).items():
        for view in views:
            signs = _signs(document, measure, view)
            yield from ranks_of((measure, view), _by_method(document, measure, view), signs)


def ranks_of(number: tuple[str, str], by_method: Mapping[str, Means], signs: Signs | None) -> Iterator[MethodRanks]:
    """Of a measure and view, every pair of methods under which two models or more have it.

    ``signs`` None: models differ where their means do.
    """
    for one, other in combinations(by_method.items(), 2):
        ranks = _ranks(*number, dict([one, other]), signs)
        if ranks["n_models"] > 1:
            yield ranks


def sign_beyond_noise(low: float | None, high: float | None) -> int:
    """Of a difference with that interval: 0 unless it leaves 0 out."""
    return 0 if low is None or high is None else (low > 0) - (high < 0)


def kendall_tau(signs: Sequence[tuple[int, int]]) -> float | None:
    """Kendall's tau-b of two rankings of the same things, in [-1, 1].

    ``signs`` are of every pair of things: how they lie in each of the rankings, 0 where they are ties. (concordant -
    discordant) / sqrt((pairs - ties in first) (pairs - ties in second)); None where one of them ranks nothing.
    """
    told = [sum(sign != 0 for sign in ranking) for ranking in zip(*signs, strict=True)]
    return sum(a * b for a, b in signs) / math.sqrt(told[0] * told[1]) if all(told) else None


def _signs(document: ResultsDocument, measure: str, view: str) -> Signs | None:
    """Of second minus first, 0 unless the paired interval leaves 0 out. None of results that have no intervals: they
    are of earlier versions.
    """
    rows = document.get("model_differences")
    if rows is None:
        return None
    signs: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if (row["measure"], row["view"]) == (measure, view):
            first, second = row["model_ids"]
            sign = sign_beyond_noise(row["ci95_low"], row["ci95_high"])
            signs[row["method"], first, second], signs[row["method"], second, first] = sign, -sign
    return signs


def _by_method(document: ResultsDocument, measure: str, view: str) -> Mapping[str, Means]:
    methods = {model["model_id"]: model.get("method", "") for model in document["models"]}
    wanted = (measure, view, *MACRO)
    found: dict[str, dict[str, float]] = {}
    for row in document["summaries"]:
        subject, mean = row["model_id"], row["mean"]
        if subject is None or mean is None or subject not in methods or row.get("says_nothing"):
            continue
        if (row["measure"], row["view"], row["group_by"], row["group"]) == wanted:
            found.setdefault(methods[subject], {})[model_of(subject) or subject] = mean
    return found


def _ranks(measure: str, view: str, of_methods: Mapping[str, Means], signs: Signs | None) -> MethodRanks:
    first, second = of_methods.values()
    models = [model for model in first if model in second]
    choose = min if lower_is_better(measure, view) else max

    def apart(one: str, other: str) -> list[int]:
        """How they lie under each method."""
        if signs is None:
            return [_sign(means[other] - means[one]) for means in of_methods.values()]
        return [signs.get((method, one, other), 0) for method in of_methods]

    pairs = [(one, other) for one, other in (apart(*pair) for pair in combinations(models, 2))]
    best = [choose(models, key=means.__getitem__) for means in (first, second)] if models else []
    return {
        "measure": measure,
        "view": view,
        "methods": [*of_methods],
        "n_models": len(models),
        "tau": kendall_tau(pairs) if pairs else None,
        "best_model_ids": best,
        "reverses": len(set(best)) > 1 and all(apart(*best)),
    }


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)
