"""The measures' arithmetic, under the names of their pages in `app.domain.measures`: a new one is a line here."""

from app.domain.protocol import Protocol
from worker.measures.base import Measure, Pairing, Score, Seen
from worker.measures.degradation import degradation
from worker.measures.entropy import entropy
from worker.measures.equivariance import equivariance
from worker.measures.geometric_resilience import geometric_resilience
from worker.measures.noise_reaction import noise_reaction
from worker.measures.sanity import sanity
from worker.measures.stability import stability
from worker.measures.sufficiency import sufficiency

__all__ = ["MEASURES", "PAIRINGS", "Measure", "Pairing", "Score", "Seen", "scores_of"]

MEASURES: dict[str, Measure] = {
    "entropy": entropy,
    "noise_reaction": noise_reaction,
    "geometric_resilience": geometric_resilience,
    "degradation": degradation,
    "equivariance": equivariance,
    "sufficiency": sufficiency,
}
"""Of a single subject."""

PAIRINGS: dict[str, Pairing] = {
    "stability": stability,
    "agreement": stability,
    "sanity": sanity,
    "class_separation": stability,
}
"""Of several subjects' clean maps: of runs, of the methods of one model and of its classes, whose pairs are compared
alike."""


def scores_of(protocol: Protocol, seen: Seen) -> dict[tuple[str, str], Score]:
    """Every score of one subject that the protocol asks for, by measure and view."""
    return {
        (spec.name, view): score
        for spec, settings in protocol.measures.computed()
        if not spec.is_pairing
        for view, score in MEASURES[spec.name](settings, seen).items()
    }
