"""Which fields of a model say what it computes, and which of them nobody has said."""

from app.db.tables import ModelRow
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import ModelFormat

DESCRIBED = (
    "architecture",
    "format",
    "class_names",
    "output",
    "preprocessing",
    "architecture_options",
    "head",
    "target_layer",
    "weights_key",
    "ignore_tensors",
)
"""The fields of a registration that bear on what the model computes."""
SAID = (*DESCRIBED, "config", "preprocessor_config")
"""And the files that say some of them."""
NEEDED = ("architecture", "format", "preprocessing")
"""Without these a model cannot be built; a graph is its own architecture."""


def missing_of(row: ModelRow) -> list[str]:
    """Of what is needed, what nobody has said; of a preprocessing of which something is known, which fields."""
    needed = [field for field in NEEDED if field != "architecture" or row.format != ModelFormat.ONNX]
    missing = [field for field in needed if not getattr(row, field)]
    if not any(fact.startswith("preprocessing.") for fact in row.description) or "preprocessing" not in missing:
        return missing
    parts = [f"preprocessing.{name}" for name, field in Preprocessing.model_fields.items() if field.is_required()]
    return [*missing[:-1], *(part for part in parts if part not in row.description)]
