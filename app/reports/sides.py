"""What stands side by side in a report: models, or the runs of a recipe as the mean over them."""

from app.domain.protocol import Protocol
from app.domain.radar import radar
from app.domain.vocabulary import GroupBy
from app.reports.job import Json, Side

MOST_SIDES = 8


def sides_of_audit(document: Json, audit_name: str | None, *, as_runs: bool) -> list[Side]:
    """From an audit's results: its models as the runs of one recipe, or each a side, the first few of many."""
    ids = [model["model_id"] for model in document["models"]]
    if as_runs and len(ids) > 1:
        return [_side(audit_name or "the run group", ids, document, _totals_of_runs(document))]
    names = _distinct([model["name"] for model in document["models"]])
    sides = [
        _side(name, [model_id], document, _totals_of_model(document, model_id))
        for name, model_id in zip(names, ids, strict=True)
    ]
    return sides[:MOST_SIDES]


def _side(name: str, ids: list[str], document: Json, totals: list[Json]) -> Side:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    axes = radar(Protocol.model_validate(document["protocol"]), means)
    return Side(name=name, model_ids=tuple(ids), totals=totals, radar=axes, document=document)


def _totals_of_runs(document: Json) -> list[Json]:
    """Means over the runs and, as ``spread``, how much the runs differ."""
    across = [row | {"spread": row["std"]} for row in document["across_models"] if row["group"] == "macro"]
    return across + _totals_of_model(document, None)


def _totals_of_model(document: Json, model_id: str | None) -> list[Json]:
    """With what belongs to all models, which is stability."""
    total = (GroupBy.TOTAL, "macro")
    return [
        row
        for row in document["summaries"]
        if (row["group_by"], row["group"]) == total and row["model_id"] in {model_id, None}
    ]


def sides_of_comparison(document: Json, results: dict[str, Json]) -> list[Side]:
    """``results`` are the results documents of the audits that are still there, by id."""
    sides = document["sides"]
    names = _distinct([name_of(side) for side in sides])
    return [
        Side(
            name=name,
            model_ids=tuple(model["model_id"] for model in side["models"]),
            totals=_with_spread(side),
            radar=side["radar"],
            document=results.get(side["audit_id"]),
        )
        for name, side in zip(names, sides, strict=True)
    ]


def _with_spread(side: Json) -> list[Json]:
    spreads = {
        (row["measure"], row["view"]): row["std"]
        for row in side["across_models"]
        if row["group"] == "macro" and row["n_models"] > 1
    }
    return [row | {"spread": spreads.get((row["measure"], row["view"]))} for row in side["totals"]]


def name_of(side: Json) -> str:
    """Of a comparison's side: a single model's own, else the audit's."""
    is_model = len(side["models"]) == 1 and not side["across_models"]
    name: str = side["models"][0]["name"] if is_model else side["audit_name"] or f"audit {side['audit_id']}"
    return name


def _distinct(names: list[str]) -> list[str]:
    """Equal names get their place behind them."""
    return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]
