"""When a number of a comparison says nothing: the rule of `app.domain.results.meaning`, for differences.

A difference counts only where both of its numbers do. Beside what silences one side's number, runs that overlap silence
it: then another training of the same two recipes may well turn it round.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.audits.subjects import leads
from app.domain.results.comparisons import ComparisonResults, DifferenceRow, Side
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import Silence, of_several, too_few
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy

Key = tuple[str, str, str, str]
"""Measure, view, and the group of samples: how it is grouped by, and its name."""
Range = tuple[float, float]


@dataclass(frozen=True)
class _Runs:
    """Of one side: the lowest and the highest of its models' means, and why its numbers say nothing.

    ``count`` is how many models stand together; a single model is its own range.
    """

    count: int
    ranges: Mapping[Key, Range]
    silences: Mapping[Key, list[str]]

    @classmethod
    def of(cls, side: Side, document: ResultsDocument | None) -> "_Runs":
        """From the audit's results, or from what the comparison kept of them where the audit was deleted since."""
        if document is None:
            return cls.without_results(side)
        owners = {model["model_id"] for model in side["models"]}
        shared = {model["model_id"] for model in document["models"] if leads(model["model_id"])} <= owners
        rows: dict[Key, list[Summary]] = {}
        for row in document["summaries"]:
            if row["model_id"] in owners or (shared and row["model_id"] is None):
                rows.setdefault((row["measure"], row["view"], row["group_by"], row["group"]), []).append(row)
        means = {key: [row["mean"] for row in own if row["mean"] is not None] for key, own in rows.items()}
        # A pairing is one number of all runs together: it has no range.
        ranges = {
            key: (min(found), max(found)) for key, found in means.items() if found and len(rows[key]) == len(owners)
        }
        return cls(len(owners), ranges, {key: of_several(own) for key, own in rows.items()})

    @classmethod
    def without_results(cls, side: Side) -> "_Runs":
        across = {(row["measure"], row["view"], row["group_by"], row["group"]): row for row in side["across_models"]}
        alone: dict[Key, Range] = {
            _macro(row["measure"], row["view"]): (row["mean"], row["mean"])
            for row in side["totals"]
            if row["mean"] is not None and len(side["models"]) == 1
        }
        ranges: dict[Key, Range] = {key: (row["min"], row["max"]) for key, row in across.items()}
        return cls(len(side["models"]), alone | ranges, {key: of_several([row]) for key, row in across.items()})


def _macro(measure: str, view: str) -> Key:
    return measure, view, GroupBy.TOTAL, "macro"


def judge_comparison(results: ComparisonResults, documents: Mapping[str, ResultsDocument]) -> None:
    """Write ``says_nothing`` into every total and every difference.

    ``documents`` are the audits' results by id; of an audit that was deleted since, what the comparison kept decides.
    """
    runs = [_Runs.of(side, documents.get(side["audit_id"])) for side in results["sides"]]
    for side, own in zip(results["sides"], runs, strict=True):
        for total in side["totals"]:
            silences = own.silences.get(_macro(total["measure"], total["view"]), [])
            total["says_nothing"] = _ordered([*silences, *too_few(total["n"], total["n_undefined"])])
    for row in results["differences"]:
        row["says_nothing"] = _of_difference(row, runs[row["first"]], runs[row["second"]])


def _of_difference(row: DifferenceRow, first: _Runs, second: _Runs) -> list[str]:
    key = row["measure"], row["view"], row["group_by"], row["group"]
    codes = [
        *first.silences.get(key, []),
        *second.silences.get(key, []),
        *too_few(row["n"], row["n_undefined"]),
        *([Silence.RUNS_OVERLAP] if runs_overlap(first, second, key) else []),
    ]
    return _ordered(codes)


def runs_overlap(first: _Runs, second: _Runs, key: Key) -> bool:
    """Whether a run of one side lies within the range of the other side's runs; false where no side has several."""
    if max(first.count, second.count) < 2 or key not in first.ranges or key not in second.ranges:
        return False
    (low, high), (other_low, other_high) = first.ranges[key], second.ranges[key]
    return low <= other_high and other_low <= high


def _ordered(codes: Sequence[str]) -> list[str]:
    """Each once, in the order of the rule."""
    return [str(code) for code in Silence if code in codes]
