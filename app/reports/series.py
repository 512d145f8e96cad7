"""What stands side by side in a report: models, or the runs of a recipe as the mean over them."""

from itertools import count

from app.domain.protocol import Protocol
from app.domain.radar import radar
from app.domain.vocabulary import GroupBy
from app.reports.job import Json, Series

MOST_SERIES = 10


def series_of_audit(document: Json, audit_name: str | None, *, as_runs: bool) -> list[Series]:
    """From an audit's results: its models as the runs of one recipe, or each a series, the first few of many."""
    ids = [model["model_id"] for model in document["models"]]
    if as_runs and len(ids) > 1:
        return [_series(audit_name or "the run group", ids, document, _totals_of_runs(document))]
    names = distinct([model["name"] for model in document["models"]])
    rows = _macro_totals(document)
    # Stability is not one model's.
    all_series = [
        _series(name, [model_id], document, [row for row in rows if row["model_id"] == model_id])
        for name, model_id in zip(names, ids, strict=True)
    ]
    return all_series[:MOST_SERIES]


def all_together(document: Json, all_series: list[Series]) -> Series | None:
    """All models of an audit as one series, where each is a series alone and stability was asked for."""
    ids = [model["model_id"] for model in document["models"]]
    shared = [row for row in _macro_totals(document) if row["model_id"] is None]
    return _series("all models", ids, document, shared) if shared and len(all_series) > 1 else None


def _series(name: str, ids: list[str], document: Json, totals: list[Json]) -> Series:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    axes = radar(Protocol.model_validate(document["protocol"]), means)
    return Series(name=name, audit_id=document["audit_id"], model_ids=tuple(ids), totals=totals, radar=axes)


def _totals_of_runs(document: Json) -> list[Json]:
    """Means over the runs and, as ``spread``, how much the runs differ."""
    across = [row | {"spread": row["std"]} for row in document["across_models"] if row["group"] == "macro"]
    return across + [row for row in _macro_totals(document) if row["model_id"] is None]


def _macro_totals(document: Json) -> list[Json]:
    total = (GroupBy.TOTAL, "macro")
    return [row for row in document["summaries"] if (row["group_by"], row["group"]) == total]


def series_of_comparison(document: Json) -> list[Series]:
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


def _with_spread(series: Json) -> list[Json]:
    """And the lowest and the highest run."""
    spreads = {
        (row["measure"], row["view"]): {"spread": row["std"], "min": row["min"], "max": row["max"]}
        for row in series["across_models"]
        if row["group"] == "macro" and row["n_models"] > 1
    }
    return [row | spreads.get((row["measure"], row["view"]), {"spread": None}) for row in series["totals"]]


def _name(series: Json) -> str:
    """Of a comparison's series: a single model's own, else the audit's."""
    is_model = len(series["models"]) == 1 and not series["across_models"]
    name: str = series["models"][0]["name"] if is_model else series["audit_name"] or f"audit {series['audit_id']}"
    return name


def distinct(names: list[str]) -> list[str]:
    """Equal names get a number behind them, which no other name has."""
    found: list[str] = []
    for name in names:
        candidates = (name if names.count(name) == 1 else f"{name} ({place})" for place in count(1))
        found.append(next(one for one in candidates if one not in found and (one == name or one not in names)))
    return found
