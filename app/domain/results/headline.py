"""The few numbers that stand for an audit in messages and histories."""

from app.domain.protocol import Protocol
from app.domain.radar import headline_views
from app.domain.results.documents import AcrossModels, ResultsDocument, Summary
from app.domain.vocabulary import GroupBy

MACRO = (GroupBy.TOTAL, "macro")


def headline_rows(document: ResultsDocument) -> dict[str, Summary | AcrossModels]:
    """By measure, or by ``measure.view`` where several views lead it: the macro totals, means over several models."""
    everything: list[Summary | AcrossModels] = [
        *document["across_models"],
        *(row for row in document["summaries"] if row["model_id"] is None),
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


def headline(document: ResultsDocument) -> dict[str, float | None]:
    """The numbers alone; None is not defined."""
    return {name: row["mean"] for name, row in headline_rows(document).items()}


def silent_headlines(document: ResultsDocument) -> list[str]:
    """The names of those that say nothing: no such number may travel without that."""
    return [name for name, row in headline_rows(document).items() if row["says_nothing"]]
