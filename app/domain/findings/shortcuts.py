"""Signs of a shortcut in an audit's results: what a network looks at besides, or instead of, the object.

Each rule told planted cheats from honest networks (docs/measures.md has the table, with what it missed). A finding is
no proof: it says where to look.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from app.domain.audits.subjects import leads
from app.domain.findings.signs_of_decisions import arrangement, colour, detail, sufficient, views
from app.domain.findings.signs_of_places import one_sided, places
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.enough import Sufficiency
from app.domain.results.findings import Finding, Level
from app.domain.results.map_places import WhereMapsLie

OfModel = TypeVar("OfModel", WhereMapsLie, Sufficiency)


def shortcuts(document: ResultsDocument) -> Iterator[Finding]:
    """Of every model of a results document; results from before maps were looked at have fewer."""
    settings = Protocol.model_validate(document["protocol"]).findings
    several = len(document["models"]) > 1
    for model in document["models"]:
        model_id = model["model_id"]
        maps = _of_model(document.get("where_maps_lie") or [], model_id)
        # Accuracy is a model's, whatever the method.
        decided = document.get("performance") or [] if leads(model_id) else []
        rows = [row for row in decided if row["model_id"] == model_id]
        enough = _of_model(document.get("sufficiency") or [], model_id)
        for code, finding in (
            *views(rows, settings),
            *places(maps, settings),
            *one_sided(maps, settings),
            *sufficient(enough, settings),
            *arrangement(rows, settings),
            *colour(rows, settings),
            *detail(rows, settings),
        ):
            text = f"{model['name']}: {finding['text']}" if several else finding["text"]
            evidence = {"model_id": model_id} | finding["evidence"]
            found = Finding(code=code, level=Level.EXPOSES, text=text, evidence=evidence)
            if finding["measure"]:
                found["measure"] = finding["measure"]
            yield found


def _of_model(sections: Sequence[OfModel], model_id: str) -> OfModel | None:
    return next((section for section in sections if section["model_id"] == model_id), None)
