"""Numbers to look at first that say nothing, and why."""

from collections.abc import Iterable, Iterator
from typing import Literal

from app.domain.measures import spec_of, view_title
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level
from app.domain.results.meaning import REASONS, Silence
from app.domain.results.summaries import Summary
from app.domain.results.totals import macro_totals

_OF_SAMPLES = (Silence.FEW_SAMPLES, Silence.FEW_CLUSTERS)
"""Reasons that lie in the samples, and so hold for all measures."""
_Shown = Literal["measure", "view", "model_id", "mean", "control_mean", "flip_rate", "n", "n_undefined", "n_clusters"]
_SHOWN: tuple[_Shown, ...] = (
    "measure",
    "view",
    "model_id",
    "mean",
    "control_mean",
    "flip_rate",
    "n",
    "n_undefined",
    "n_clusters",
)


def silent_numbers(document: ResultsDocument) -> Iterator[Finding]:
    """One a measure and reason, over the models that it holds for; of too few samples, one for all measures."""
    silent = list(_silent(document))
    for code in _OF_SAMPLES:
        few = [row for row in silent if code in row["says_nothing"]]
        if few:
            titles = _listed(dict.fromkeys(spec_of(row["measure"]).title for row in few))
            text = f"{titles} {_says(len({row['measure'] for row in few}))} nothing: {REASONS[code]}."
            yield Finding(code=code, level=Level.SAYS_NOTHING, text=text, evidence=_evidence(few))
    for measure in dict.fromkeys(row["measure"] for row in silent):
        own = [row for row in silent if row["measure"] == measure]
        reasons = dict.fromkeys(code for row in own for code in row["says_nothing"] if code not in _OF_SAMPLES)
        for found in reasons:
            rows = [row for row in own if found in row["says_nothing"]]
            yield Finding(
                code=found,
                level=Level.SAYS_NOTHING,
                measure=measure,
                text=f"{_name(measure, rows)}{_owners(document, rows)} says nothing: {REASONS[found]}.",
                evidence=_evidence(rows),
            )


def _silent(document: ResultsDocument) -> Iterator[Summary]:
    """Macro totals of the views that lead, and of those that tables compare strategies by."""
    protocol = Protocol.model_validate(document["protocol"])
    wanted = {
        (spec.name, view)
        for spec, settings in protocol.measures.computed()
        for view in (*spec.headline(settings), *spec.strategy_views(settings))
    }
    for row in macro_totals(document):
        if row["says_nothing"] and (row["measure"], row["view"]) in wanted:
            yield row


def _name(measure: str, rows: list[Summary]) -> str:
    spec, views = spec_of(measure), dict.fromkeys(row["view"] for row in rows)
    title = spec.title
    return title if set(views) == set(spec.gates.views) else f"{title} ({_listed(view_title(view) for view in views)})"


def _owners(document: ResultsDocument, rows: list[Summary]) -> str:
    """Whose number it is, unless it is everybody's."""
    names = {model["model_id"]: model["name"] for model in document["models"]}
    owners = dict.fromkeys(row["model_id"] for row in rows)
    if None in owners or len(owners) == len(names):
        return ""
    return f" of {_listed(names[owner] for owner in owners if owner is not None)}"


def _evidence(rows: list[Summary]) -> dict[str, object]:
    return {"numbers": [{name: row[name] for name in _SHOWN if name in row} for row in rows]}


def _says(count: int) -> str:
    return "says" if count == 1 else "say"


def _listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
