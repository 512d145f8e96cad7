"""Scores of a binary model under flips of its prediction, which are low whatever the model looks at."""

from collections.abc import Iterator

from app.domain.measures import view_title
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy, SalienceTarget

_SHOWN = ("measure", "view", "model_id", "n", "n_flipped", "mean_kept", "mean_flipped")


def flipped_sides(document: ResultsDocument) -> Iterator[Finding]:
    """One a model whose maps explain the predicted side, where some predictions flip."""
    flipping = [row for row in document["summaries"] if _flips(row)]
    if not flipping or document["protocol"]["salience"]["target"] != SalienceTarget.PREDICTED:
        return
    for model in document["models"]:
        rows = [row for row in flipping if row["model_id"] == model["model_id"]]
        if rows:
            yield Finding(
                code="flipped-sides",
                level=Level.NOTE,
                text=f"Maps of {model['name']} explain the side that is predicted, and the two sides' maps are "
                f"complements: where a prediction flips a score is low by construction. {_told(rows[0])} Ask for "
                'the target "clean_predicted" to compare maps of one side.',
                evidence={"numbers": [{name: row.get(name) for name in _SHOWN} for row in rows]},
            )


def _flips(row: Summary) -> bool:
    is_total = (row["group_by"], row["group"]) == (GroupBy.TOTAL, "micro")
    return is_total and bool(row.get("n_flipped")) and row["mean"] is not None


def _told(row: Summary) -> str:
    kept, flipped = row.get("mean_kept"), row.get("mean_flipped")
    sides = [
        f"{mean:.2f} {words}" for mean, words in ((kept, "where kept"), (flipped, "where flipped")) if mean is not None
    ]
    return f"{view_title(row['view'])}: {', '.join(sides)} ({row.get('n_flipped')} of {row['n']} flip)."
