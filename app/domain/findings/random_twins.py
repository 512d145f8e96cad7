"""Numbers that a network which learnt nothing reaches as well, so that they are no merit of the model."""

from collections.abc import Iterator

from app.domain.measures import view_title
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level
from app.domain.results.meaning import FEWEST_SAMPLES
from app.domain.results.twins import TwinDistance


def random_twins(document: ResultsDocument) -> Iterator[Finding]:
    """One a model; results without a random twin have none."""
    names = {model["model_id"]: model["name"] for model in document["models"]}
    for section in document.get("sanity") or []:
        reached = [row for row in section["distances"] if row["better"] is False and row["n"] >= FEWEST_SAMPLES]
        if reached:
            yield Finding(
                code="no-better-than-random",
                level=Level.NOTE,
                text=f"The same network with random weights scores as well as {names[section['model_id']]}, or better: "
                f"{', '.join(map(_told, reached))}. High or low, these numbers are no merit of the training.",
                evidence={"model_id": section["model_id"], "numbers": [{**row} for row in reached]},
            )


def _told(row: TwinDistance) -> str:
    return f"{row['measure']} ({view_title(row['view'])}) {row['mean']:.2f} against {row['random_mean']:.2f}"
