"""Maps that are the same whatever the image shows, so that their steadiness says nothing."""

from collections.abc import Iterator

from app.domain.measures import EQUIVARIANCE, STABILITY
from app.domain.measures.equivariance import CELL_SHIFTS
from app.domain.protocol import Protocol
from app.domain.protocol.finding_settings import FindingSettings
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level

CODE = "map-ignores-image"


def ignored_images(document: ResultsDocument) -> Iterator[Finding]:
    """Of stability, in total or for a label; and of a class of one model whose one map stands still."""
    settings = Protocol.model_validate(document["protocol"]).findings
    yield from _of_runs(document, settings)
    yield from _of_classes(document, settings)


def _of_runs(document: ResultsDocument, settings: FindingSettings) -> Iterator[Finding]:
    rows = [
        row
        for row in document["summaries"]
        if row["measure"] == STABILITY.name and (row["group_by"] == "label" or row["group"] == "macro")
    ]
    for row in rows:
        mean, control = row["mean"], row["control_mean"]
        if mean is None or control is None or row["n"] < settings.least_samples:
            continue
        if mean <= settings.same_map / 2 or mean - control > settings.above_control:
            continue
        whose = "" if row["group"] == "macro" else f" for {row['group']}"
        yield Finding(
            code=CODE,
            level=Level.SAYS_NOTHING,
            measure=STABILITY.name,
            text=f"Stability{whose} says that the map is fixed: runs agree on one image by {mean:.2f}, and about as "
            f"much on two images of the same label ({control:.2f}).",
            evidence={
                "group_by": row["group_by"],
                "group": row["group"],
                "mean": mean,
                "control_mean": control,
                "n": row["n"],
                "threshold": settings.above_control,
            },
        )


def _of_classes(document: ResultsDocument, settings: FindingSettings) -> Iterator[Finding]:
    skills = {
        row["model_id"]: row
        for row in document["summaries"]
        if (row["measure"], row["view"], row["group"]) == (EQUIVARIANCE.name, CELL_SHIFTS, "macro")
    }
    for section in document.get("where_maps_lie") or []:
        moved = skills.get(section["model_id"])
        skill = moved and moved.get("skill")
        if skill is None or skill > 0:
            continue
        for row in section["groups"]:
            if row["group_by"] != "predicted" or row["n"] < settings.least_samples:
                continue
            if (row["fixedness"] or 0) > settings.same_map:
                yield Finding(
                    code=CODE,
                    level=Level.SAYS_NOTHING,
                    measure=EQUIVARIANCE.name,
                    text=f"Maps of {row['group']} are nearly one map, whatever the image shows, and do not follow it: "
                    f"fixedness {row['fixedness']:.2f}, skill {skill:.2f}.",
                    evidence={
                        "model_id": section["model_id"],
                        "predicted": row["group"],
                        "fixedness": row["fixedness"],
                        "skill": skill,
                        "threshold": settings.same_map,
                    },
                )
