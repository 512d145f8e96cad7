"""Maps that are the same whichever class is asked for, so that they do not say what speaks for a class."""

from collections.abc import Iterator

from app.domain.audits.subjects import leads
from app.domain.measures import CLASS_SEPARATION
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level


def undivided_classes(document: ResultsDocument) -> Iterator[Finding]:
    """One a model; a note, since two classes may lie at one place for a good reason: breeds of dogs do."""
    report = document.get("class_separation")
    rows = [row for row in document["summaries"] if row["measure"] == CLASS_SEPARATION.name and row["group"] == "macro"]
    settings = Protocol.model_validate(document["protocol"]).findings
    if report is None or not rows or rows[0]["n"] < settings.least_samples:
        return
    names = {model["model_id"]: model["name"] for model in document["models"]}
    for model_id, similarity in zip(report["model_ids"], report["mean_to_others"], strict=True):
        if leads(model_id) and similarity is not None and similarity > settings.same_map:
            yield Finding(
                code="classes-share-a-map",
                level=Level.NOTE,
                measure=CLASS_SEPARATION.name,
                text=f"Maps of {names[model_id]} are nearly the same for the class that is explained and for another "
                f"(similarity {similarity:.2f}): they say where it looks, and not what speaks for a class.",
                evidence={
                    "model_id": model_id,
                    "similarity": similarity,
                    "n": rows[0]["n"],
                    "threshold": settings.same_map,
                },
            )
