"""What stands side by side in a report: models, or the runs of a recipe as the mean over them."""

from collections.abc import Iterable
from itertools import count

from app.domain.audits.subjects import leads, noun_of
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults, SideTotal
from app.domain.results.comparisons import Side as ComparedSide
from app.domain.results.documents import ResultsDocument
from app.domain.results.radar import radar
from app.domain.results.summaries import AcrossModels, Summary
from app.domain.results.totals import macro_totals
from app.reports.series_part import Series, Total

MOST_SERIES = 10


def series_of_audit(document: ResultsDocument, audit_name: str | None, *, as_runs: bool) -> list[Series]:
    """From an audit's results: its models as the runs of one recipe, or each a series, the first few of many."""
    ids = [model["model_id"] for model in document["models"]]
    leading = [key for key in ids if leads(key)]
    if as_runs and len(leading) > 1:
        return [_series(audit_name or "the run group", leading, document, _totals_of_runs(document))]
    names = distinct([model["name"] for model in document["models"]])
    rows = macro_totals(document)
    # Stability is not one model's.
    all_series = [
        _series(name, [model_id], document, [_total(row) for row in rows if row["model_id"] == model_id])
        for name, model_id in zip(names, ids, strict=True)
    ]
    return all_series[:MOST_SERIES]


def all_together(document: ResultsDocument, all_series: list[Series]) -> Series | None:
    """All models of an audit as one series, where each is a series alone and stability was asked for."""
    ids = [model["model_id"] for model in document["models"]]
    shared = _of_pairings(document)
    measured = {total["measure"] for series in all_series for total in series.totals}
    alone = [total for total in shared if total["measure"] not in measured]
    return _series(all_of(ids), ids, document, shared) if alone else None


def all_of(keys: Iterable[str]) -> str:
    """What the subjects are together."""
    return f"all {noun_of(keys)}s"


def _series(name: str, ids: list[str], document: ResultsDocument, totals: list[Total]) -> Series:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    axes = radar(Protocol.model_validate(document["protocol"]), means)
    return Series(name=name, audit_id=document["audit_id"], model_ids=tuple(ids), totals=totals, radar=axes)


def _totals_of_runs(document: ResultsDocument) -> list[Total]:
    """Means over the runs, and how much the runs differ."""
    across = [_of_runs(row) for row in document["across_models"] if row["group"] == "macro"]
    return across + _of_pairings(document)


def _of_runs(row: AcrossModels) -> Total:
    return {
        "measure": row["measure"],
        "view": row["view"],
        "mean": row["mean"],
        "ci95_low": row["ci95_low"],
        "ci95_high": row["ci95_high"],
        "spread": row["std"],
        "min": row["min"],
        "max": row["max"],
    }


def _total(row: Summary | SideTotal) -> Total:
    return {
        "measure": row["measure"],
        "view": row["view"],
        "mean": row["mean"],
        "ci95_low": row["ci95_low"],
        "ci95_high": row["ci95_high"],
        "n": row["n"],
        "n_undefined": row["n_undefined"],
    }


def _of_pairings(document: ResultsDocument) -> list[Total]:
    return [_total(row) for row in macro_totals(document) if row["model_id"] is None]


def series_of_comparison(document: ComparisonResults) -> list[Series]:
    """In the comparison's order."""
    all_series = document["sides"]
    names = distinct([_name(series) for series in all_series])
    return [
        Series(
            name=name,
            audit_id=series["audit_id"],
            model_ids=tuple(model["model_id"] for model in series["models"]),
            totals=_with_spread(series),
            radar=series["radar"],
        )
        for name, series in zip(names, all_series, strict=True)
    ]


def _with_spread(series: ComparedSide) -> list[Total]:
    """And the lowest and the highest run."""
    of_runs = {
        (row["measure"], row["view"]): row
        for row in series["across_models"]
        if row["group"] == "macro" and row["n_models"] > 1
    }
    totals = [_total(row) for row in series["totals"]]
    for total in totals:
        runs = of_runs.get((total["measure"], total["view"]))
        if runs is not None:
            total["spread"], total["min"], total["max"] = runs["std"], runs["min"], runs["max"]
    return totals


def _name(series: ComparedSide) -> str:
    """Of a comparison's series: a single model's own, else the audit's."""
    is_model = len(series["models"]) == 1 and not series["across_models"]
    return series["models"][0]["name"] if is_model else series["audit_name"] or f"audit {series['audit_id']}"


def distinct(names: list[str]) -> list[str]:
    """Equal names get a number behind them, which no other name has."""
    found: list[str] = []
    for name in names:
        candidates = (name if names.count(name) == 1 else f"{name} ({place})" for place in count(1))
        found.append(next(one for one in candidates if one not in found and (one == name or one not in names)))
    return found
