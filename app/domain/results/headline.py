"""The few numbers that stand for an audit in messages and histories."""

from typing_extensions import TypedDict

from app.domain.audits.subjects import leads
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.radar import headline_views
from app.domain.results.summaries import AcrossModels, Summary
from app.domain.results.totals import MACRO


class StoredHeadline(TypedDict):
    """Of one model of an audit; pairings are every model's."""

    model_id: str
    numbers: dict[str, float | None]
    says_nothing: list[str]


def headline_rows(document: ResultsDocument, model_id: str | None = None) -> dict[str, Summary | AcrossModels]:
    """By measure, or by ``measure.view`` where several views lead it: macro totals, of a model or as means over all."""
    everything: list[Summary | AcrossModels] = [
        *(document["across_models"] if model_id is None else ()),
        *(row for row in document["summaries"] if row["model_id"] in {model_id, None}),
    ]
    found = {(row["measure"], row["view"]): row for row in everything if (row["group_by"], row["group"]) == MACRO}
    rows: dict[str, Summary | AcrossModels] = {}
    for measure, views in headline_views(Protocol.model_validate(document["protocol"])).items():
        for view in views:
            if (measure, view) in found:
                rows[headline_name(measure, view, views)] = found[measure, view]
    return rows


def headline_name(measure: str, view: str, views: tuple[str, ...]) -> str:
    """``entropy``, ``degradation.salience_removed``."""
    return measure if len(views) == 1 else f"{measure}.{view}"


def headline(document: ResultsDocument, model_id: str | None = None) -> dict[str, float | None]:
    """The numbers alone; None is not defined."""
    return {name: row["mean"] for name, row in headline_rows(document, model_id).items()}


def silent_headlines(document: ResultsDocument, model_id: str | None = None) -> list[str]:
    """The names of those that say nothing: no such number may travel without that."""
    return [name for name, row in headline_rows(document, model_id).items() if row["says_nothing"]]


def headlines(document: ResultsDocument) -> list[StoredHeadline]:
    """Of each model under the leading method, in the audit's order."""
    ids = [model["model_id"] for model in document["models"] if leads(model["model_id"])]
    return [
        {"model_id": one, "numbers": headline(document, one), "says_nothing": silent_headlines(document, one)}
        for one in ids
    ]
