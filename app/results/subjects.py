"""Results documents by subject: within the service a row's ``model_id`` is its subject's key.

Whoever matches rows and models so counts subjects without another word. What is stored and shown names the model, and
the subject beside it; documents of earlier versions have a subject a model.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from typing import Any, TypeVar, cast

from app.domain.audits.subjects import is_model, model_of
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.domain.results.subjects import AuditedModel

Document = TypeVar("Document", ResultsDocument, ComparisonResults)
Change = Callable[[dict[str, Any]], dict[str, Any]]

_ROWS = (
    "models",
    "summaries",
    "performance",
    "noise_curves",
    "deformation_curves",
    "move_curves",
    "sufficiency",
    "where_maps_lie",
    "sanity",
)


def shown(document: Document) -> Document:
    """As it is stored and answered, from a document by subject."""
    return _changed(document, _named)


def by_subject(document: Document) -> Document:
    """From what is stored; where every subject is a model, the very same document."""
    everything = [row for rows in _models(document) for row in rows]
    if not document.get("map_sets") and all(
        row.get("subject", row["model_id"]) == row["model_id"] for row in everything
    ):
        return document
    return _changed(document, _keyed)


def models_alone(document: ResultsDocument) -> ResultsDocument:
    """By subject, without random twins, the maps of other classes and map sets; where there is none, the very same
    document."""
    if not document.get("map_sets") and all(is_model(model["model_id"]) for model in document["models"]):
        return document
    made: dict[str, Any] = dict(document)
    for name in _ROWS:
        if name in made:
            made[name] = [row for row in made[name] if row["model_id"] is None or is_model(row["model_id"])]
    return cast("ResultsDocument", made)


def reported(document: ResultsDocument) -> ResultsDocument:
    """By subject, what a report is about: the models, or where there is none the map sets in their place."""
    made = models_alone(document)
    if made["models"]:
        return made
    map_sets = document.get("map_sets", [])
    models = [AuditedModel(model_id=one["subject"], name=one["name"], digest=one["digest"]) for one in map_sets]
    return cast("ResultsDocument", {**document, "models": models})


def _models(document: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    if "models" in document:
        yield document["models"]
    yield from (side["models"] for side in document.get("sides", ()))


def _changed(document: Document, change: Change) -> Document:
    """A copy; rows that name no model are shared with the original."""
    made: dict[str, Any] = dict(document)
    for name in _ROWS:
        if name in made:
            made[name] = [change(row) for row in made[name]]
    for name in ("stability", "agreement", "class_separation"):
        if made.get(name):
            made[name] = change(made[name])
    if "sides" in made:
        made["sides"] = [{**side, "models": [change(row) for row in side["models"]]} for side in made["sides"]]
    if "findings" in made:
        made["findings"] = [{**one, "evidence": _of_evidence(one["evidence"], change)} for one in made["findings"]]
    return cast("Document", made)


def _of_evidence(evidence: dict[str, Any], change: Change) -> dict[str, Any]:
    made = change(evidence)
    if "numbers" in made:
        made = {**made, "numbers": [change(row) for row in made["numbers"]]}
    return made


def _named(row: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, value in row.items():
        if name == "model_id":
            made |= {"model_id": value and model_of(value), "subject": value}
        elif name == "model_ids":
            made |= {"model_ids": [model_of(key) for key in value], "subjects": value}
        elif name == "apart_model_id":
            made |= {"apart_model_id": value and model_of(value), "apart_subject": value}
        else:
            made[name] = value
    return made


def _keyed(row: dict[str, Any]) -> dict[str, Any]:
    made = copy(row)
    for subject, model in (("subject", "model_id"), ("subjects", "model_ids"), ("apart_subject", "apart_model_id")):
        if subject in made:
            made[model] = made.pop(subject)
    return made
