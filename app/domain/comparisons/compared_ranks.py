"""Does the verdict survive the method: models of several audits, under the CAM methods that these share."""

from collections.abc import Iterator

from app.domain.audits.subjects import model_of
from app.domain.comparisons.method_ranks import ranks_of, sign_beyond_noise
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults, Side
from app.domain.results.radar import headline_views
from app.domain.results.ranks import MethodRanks
from app.domain.results.totals import MACRO


def compared_ranks(results: ComparisonResults, protocol: Protocol) -> Iterator[MethodRanks]:
    """Of every headline number and pair of methods, over the models that are sides under both; from results by subject.

    Numbers that say nothing rank nothing, and models whose difference says nothing, or has 0 in its interval, are ties.
    None of sides that are several models each, or all under one method.
    """
    owners = [_owner(side) for side in results["sides"]]
    for measure, views in headline_views(protocol).items():
        for view in views:
            found: dict[str, dict[str, float]] = {}
            for owner, side in zip(owners, results["sides"], strict=True):
                mean = _mean(side, measure, view)
                if owner is not None and mean is not None:
                    model, method = owner
                    found.setdefault(method, {}).setdefault(model, mean)
            yield from ranks_of((measure, view), found, _signs(results, owners, (measure, view)))


def names_of(results: ComparisonResults) -> dict[str, str]:
    """Of the sides' models, by id."""
    return {model_of(one["model_id"]) or "": one["name"] for side in results["sides"] for one in side["models"]}


def _owner(side: Side) -> tuple[str, str] | None:
    """The side's model and its method; None of several models."""
    if len(side["models"]) != 1:
        return None
    [model] = side["models"]
    return model_of(model["model_id"]) or "", model.get("method", "")


def _mean(side: Side, measure: str, view: str) -> float | None:
    """None too where it says nothing."""
    for row in side["totals"]:
        if (row["measure"], row["view"]) == (measure, view) and not row["says_nothing"]:
            return row["mean"]
    return None


def _signs(
    results: ComparisonResults, owners: list[tuple[str, str] | None], number: tuple[str, str]
) -> dict[tuple[str, str, str], int]:
    """By method and two models whether the second's number is higher, beyond noise."""
    signs: dict[tuple[str, str, str], int] = {}
    for row in results["differences"]:
        first, second = owners[row["first"]], owners[row["second"]]
        is_total = (row["measure"], row["view"], row["group_by"], row["group"]) == (*number, *MACRO)
        if not is_total or first is None or second is None or first[1] != second[1] or row["says_nothing"]:
            continue
        sign = sign_beyond_noise(row["ci95_low"], row["ci95_high"])
        signs[first[1], first[0], second[0]], signs[first[1], second[0], first[0]] = sign, -sign
    return signs
