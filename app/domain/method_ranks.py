"""Does the verdict survive the method: whether models rank alike under every CAM method of an audit."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.radar import headline_views
from app.domain.results.documents import MethodRanks, ResultsDocument
from app.domain.subjects import model_of
from app.domain.vocabulary import GroupBy

Means = Mapping[str, float]
"""Of one method: macro means by model."""


def method_ranks(document: ResultsDocument) -> Iterator[MethodRanks]:
    """Of every headline number and pair of methods, over the models that have it under both; from results by subject.

    Numbers that say nothing, of few samples for instance, rank nothing. None where there is one model or one method.
    """
    for measure, views in headline_views(Protocol.model_validate(document["protocol"])).items():
        for view in views:
            for one, other in combinations(_by_method(document, measure, view).items(), 2):
                ranks = _ranks(measure, view, dict([one, other]))
                if ranks["n_models"] > 1:
                    yield ranks


def kendall_tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Kendall's tau-b of two rankings of the same N >= 2 things, in [-1, 1], by their numbers.

    (concordant - discordant) / sqrt((pairs - ties in first) (pairs - ties in second)); None where one of them ranks
    nothing.
    """
    pairs = combinations(zip(first, second, strict=True), 2)
    signs = [(_sign(a - c), _sign(b - d)) for (a, b), (c, d) in pairs]
    told = [sum(sign != 0 for sign in ranking) for ranking in zip(*signs, strict=True)]
    return sum(a * b for a, b in signs) / math.sqrt(told[0] * told[1]) if all(told) else None


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _by_method(document: ResultsDocument, measure: str, view: str) -> Mapping[str, Means]:
    methods = {model["model_id"]: model.get("method", "") for model in document["models"]}
    wanted = (measure, view, GroupBy.TOTAL, "macro")
    found: dict[str, dict[str, float]] = {}
    for row in document["summaries"]:
        subject, mean = row["model_id"], row["mean"]
        if subject is None or mean is None or subject not in methods or row.get("says_nothing"):
            continue
        if (row["measure"], row["view"], row["group_by"], row["group"]) == wanted:
            found.setdefault(methods[subject], {})[model_of(subject) or subject] = mean
    return found


def _ranks(measure: str, view: str, of_methods: Mapping[str, Means]) -> MethodRanks:
    first, second = of_methods.values()
    models = [model for model in first if model in second]
    numbers = [[means[model] for model in models] for means in (first, second)]
    choose = min if lower_is_better(measure, view) else max
    return {
        "measure": measure,
        "view": view,
        "methods": [*of_methods],
        "n_models": len(models),
        "tau": kendall_tau(*numbers) if len(models) > 1 else None,
        "best_model_ids": [choose(models, key=means.__getitem__) for means in (first, second)] if models else [],
    }
