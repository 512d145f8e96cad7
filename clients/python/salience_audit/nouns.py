"""The collections of the API by name."""

from typing import Literal

from salience_audit.document import Document
from salience_audit.documents import Audit, Comparison, Dataset, Gate, MapSet, Model, RunGroup

Collection = Literal["models", "datasets", "map-sets", "run-groups", "gates", "audits", "comparisons"]

NOUNS: dict[Collection, str] = {
    "models": "model",
    "datasets": "data set",
    "map-sets": "map set",
    "run-groups": "run group",
    "gates": "gate",
    "audits": "audit",
    "comparisons": "comparison",
}
KINDS: dict[Collection, type[Document]] = {
    "models": Model,
    "datasets": Dataset,
    "map-sets": MapSet,
    "run-groups": RunGroup,
    "gates": Gate,
    "audits": Audit,
    "comparisons": Comparison,
}
UPLOADED = frozenset({"models", "datasets", "map-sets"})
VERSIONED = UPLOADED | {"gates"}
"""Collections whose names have versions."""
