"""What got worse from one version of a model to the next, read off the comparison of their audits."""

from typing_extensions import TypedDict

from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults, DifferenceRow
from app.domain.results.headline import headline_name
from app.domain.results.radar import headline_views
from app.domain.results.totals import MACRO


class Regression(TypedDict):
    """A headline number that is worse: paired over the samples, corrected for all tests of the comparison."""

    number: str
    measure: str
    view: str
    before: float | None
    after: float | None
    difference: float | None
    ci95_low: float | None
    ci95_high: float | None
    p_holm: float | None
    n: int


def regressions_in(results: ComparisonResults, protocol: Protocol) -> list[Regression]:
    """Of a comparison whose first side is the version before; numbers that say nothing are none."""
    views = headline_views(protocol)
    return [
        _regression(row, views[row["measure"]])
        for row in results["differences"]
        if (row["group_by"], row["group"]) == MACRO
        and row["view"] in views.get(row["measure"], ())
        and row["favours"] == row["first"]
        and not row["says_nothing"]
    ]


def _regression(row: DifferenceRow, views: tuple[str, ...]) -> Regression:
    return {
        "number": headline_name(row["measure"], row["view"], views),
        "measure": row["measure"],
        "view": row["view"],
        "before": row["mean_first"],
        "after": row["mean_second"],
        "difference": row["difference"],
        "ci95_low": row["ci95_low"],
        "ci95_high": row["ci95_high"],
        "p_holm": row["p_holm"],
        "n": row["n"],
    }
