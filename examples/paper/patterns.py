"""What agrees with the paper in pattern, and what does not: the signs of differences, and the order of groups.

The numbers cannot agree: other images, other networks, a drawn region for human salience. What can is which of two
groups is higher. A difference of ours counts only where the service's comparison lets it: its interval does not hold 0,
and neither number says nothing, nor do the runs of one group reach into the other's.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from scipy.stats import kendalltau

from examples.paper.auditing import GROUPS, Audited
from examples.paper.published import ROWS, Row, radar
from examples.paper.tables import AXES, table

AGREES, DISAGREES, OPEN = "agrees", "does not agree", "not told apart"
GUIDED = ((0, 2), (1, 3))
"""Pairs of groups, of one architecture each: human-guided minus cross-entropy."""
DEEPER = ((0, 1), (2, 3))
"""Of one strategy each: ResNet minus DenseNet."""


class Pattern(NamedTuple):
    """One difference, the paper's and ours, and what the two say of each other."""

    title: str
    pair: str
    paper: float
    ours: float | None
    outcome: str
    why: str


def patterns(audited: Audited, pairs: Sequence[tuple[int, int]]) -> list[Pattern]:
    """Second group minus first, for every row of both tables."""
    return [_pattern(audited.comparison, row, pair) for row in ROWS for pair in pairs]


def outcome(paper: float, difference: dict[str, Any]) -> tuple[str, str]:
    """What a row of a comparison's differences says of the paper's, and why where it is open."""
    low, high = difference["ci95_low"], difference["ci95_high"]
    if difference["difference"] is None or low is None or high is None:
        return OPEN, "undefined"
    if low <= 0 <= high:
        return OPEN, "interval holds 0"
    if difference["says_nothing"]:
        return OPEN, ", ".join(difference["says_nothing"])
    return (AGREES if (difference["difference"] > 0) == (paper > 0) else DISAGREES), ""


def pattern_table(found: Iterable[Pattern]) -> str:
    """A line a difference."""
    rows = [
        (one.title, one.pair, f"{one.paper:+.3f}", "-" if one.ours is None else f"{one.ours:+.3f}", _told(one))
        for one in found
    ]
    return table(("", "difference", "paper", "ours", "pattern"), rows)


def counted(found: Sequence[Pattern]) -> str:
    """How many agree, how many do not, how many are open; and of all, how many have the paper's sign."""
    outcomes = Counter(one.outcome for one in found)
    same = sum(one.ours is not None and (one.ours > 0) == (one.paper > 0) for one in found)
    counts = ", ".join(f"{name} {outcomes[name]}" for name in (AGREES, DISAGREES, OPEN))
    return f"{counts}, of {len(found)}. The paper's sign, clear or not: {same}."


def order_table(audited: Audited) -> str:
    """For every row the order of the four groups, and Kendall's tau of the paper's numbers and ours."""
    rows = [(row.title, *_orders(audited, row)) for row in ROWS]
    return table(("", "paper, highest first", "ours", "Kendall's tau"), rows)


def radar_table(audited: Audited) -> str:
    """Figure 11: the axes of every group, and in brackets those that the paper's tables make."""
    sides = audited.comparison["results"]["sides"]
    rows = [
        (title, *(_axis(side["radar"][axis], radar(place)[axis]) for place, side in enumerate(sides)))
        for axis, title in AXES.items()
    ]
    return table(("axis", *(f"{' '.join(reversed(group))} (paper)" for group in GROUPS)), rows)


def _pattern(comparison: dict[str, Any], row: Row, pair: tuple[int, int]) -> Pattern:
    first, second = pair
    paper = row.paper[second] - row.paper[first]
    wanted = {"first": first, "second": second, "measure": row.measure, "view": row.view, "group": "macro"}
    difference = next(one for one in comparison["results"]["differences"] if wanted.items() <= one.items())
    names = f"{' '.join(reversed(GROUPS[second]))} - {' '.join(reversed(GROUPS[first]))}"
    return Pattern(row.title, names, paper, difference["difference"], *outcome(paper, difference))


def _told(one: Pattern) -> str:
    return one.outcome + (f" ({one.why})" if one.why else "")


def _orders(audited: Audited, row: Row) -> tuple[str, str, str]:
    sides = audited.comparison["results"]["sides"]
    totals = [
        next(one["mean"] for one in side["totals"] if (one["measure"], one["view"]) == (row.measure, row.view))
        for side in sides
    ]
    if None in totals:
        return _order(row.paper), "-", "-"
    return _order(row.paper), _order(totals), f"{kendalltau(row.paper, totals).statistic:+.2f}"


def _order(numbers: Sequence[float]) -> str:
    initials = ("CD", "CR", "HD", "HR")
    return " ".join(initials[place] for place in sorted(range(4), key=lambda place: -numbers[place]))


def _axis(ours: float | None, paper: float) -> str:
    return f"{'-' if ours is None else f'{ours:.3f}'} ({paper:.3f})"
