"""How much of an image is enough for the prediction to stay (the measure `sufficiency`)."""

import numpy as np

from app.domain.measures.sufficiency import SufficiencySettings
from app.domain.results.enough import EnoughReport
from app.domain.statistics.aggregates import Floats, Integers, Masks
from app.domain.summaries.groups import Groups
from app.domain.views.families import FILL, ORDERS
from app.domain.vocabulary import CLEAN, GroupBy

ENOUGH = 0.9
"""Of the samples, that keep their prediction at ``area_90``."""


def sufficiency_report(
    settings: SufficiencySettings, conditions: tuple[str, ...], predicted: Integers, groups: Groups
) -> EnoughReport:
    """Shares of samples that keep the class of the whole image, at every share of its area and in every order.

    ``predicted`` (N, C) are the classes under C ``conditions``, clean among them, -1 where an output was not finite; of
    independent labels a number for each set of them.
    Samples whose class the fill alone has too are left out: ``n`` is how many are not. ``area_90`` is the smallest
    share from which on 90% keep it, ``area_90_random`` the same for cells in random order.
    """
    places = {name: place for place, name in enumerate(conditions)}
    clean, fill = predicted[:, places[CLEAN]], predicted[:, places[FILL]]
    counted = (clean >= 0) & (fill >= 0) & (clean != fill)
    kept = {order: predicted[:, [places[view] for view in settings.curve(order)]] == clean[:, None] for order in ORDERS}
    shares = np.array(settings.shares)
    members = {group.group: group.members for group in groups.named() if group.group_by == GroupBy.LABEL}
    return {
        "fill": settings.fill,
        "shares": list(settings.shares),
        "n": int(counted.sum()),
        "unchanged": {order: _rates(values[counted]) for order, values in kept.items()},
        "area_90": smallest_share(shares, kept["kept"][counted], ENOUGH),
        "area_90_random": smallest_share(shares, kept["kept_random"][counted], ENOUGH),
        "by_label": {
            label: {
                "n": len(rows),
                "unchanged": {order: _rates(values[rows]) for order, values in kept.items()},
                "area_90": smallest_share(shares, kept["kept"][rows], ENOUGH),
            }
            for label, own in members.items()
            for rows in [own[counted[own]]]
        },
    }


def _rates(kept: Masks) -> list[float] | None:
    rates: list[float] = kept.mean(0).tolist() if len(kept) else []
    return rates or None


def smallest_share(shares: Floats, kept: Masks, enough: float) -> float | None:
    """The smallest share from which on at least ``enough`` of the samples keep their prediction.

    ``kept`` (N, S) says at each of ``shares`` (S,), ascending, whether a sample's class is still the whole image's. 1.0
    where no smaller share does; None without samples.
    """
    if not len(kept):
        return None
    found = 1.0
    for share, rate in zip(shares[::-1].tolist(), kept.mean(0)[::-1].tolist(), strict=True):
        if rate < enough:
            break
        found = share
    return found
