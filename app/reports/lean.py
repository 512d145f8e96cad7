"""What figures do not show stays out of the job."""

from app.domain.measures import MEASURES
from app.domain.results.documents import ResultsDocument
from app.domain.results.performance import Performance, Roc
from app.domain.vocabulary import CLEAN

DRAWN_CURVES = frozenset(
    condition for spec in MEASURES.values() if "roc" in spec.figures for condition in (CLEAN, *spec.fixed_views())
)
"""The conditions whose ROC curves a figure shows."""


def lean_document(document: ResultsDocument, shown: set[str]) -> ResultsDocument:
    """Without what no figure shows: other models, thresholds, other views' ROC curves; large audits have millions."""
    lean = document.copy()
    lean["summaries"] = [row for row in document["summaries"] if row["model_id"] in {*shown, None}]
    lean["noise_curves"] = [curve for curve in document["noise_curves"] if curve["model_id"] in shown]
    lean["deformation_curves"] = [one for one in document.get("deformation_curves", []) if one["model_id"] in shown]
    lean["move_curves"] = [one for one in document.get("move_curves", []) if one["model_id"] in shown]
    lean["performance"] = [_drawn(row) for row in document["performance"] if row["model_id"] in shown]
    return lean


def _drawn(row: Performance) -> Performance:
    drawn, roc = row.copy(), row["roc"]
    is_drawn = roc is not None and row["condition"] in DRAWN_CURVES
    drawn["roc"] = Roc(fpr=roc["fpr"], tpr=roc["tpr"]) if roc is not None and is_drawn else None
    return drawn
