"""Completes a registration by the files that come with it; what the request itself says goes before them."""

from typing import Any

from app.domain.refusals.architectures import CONFIG_UNKNOWN
from app.domain.vocabulary import ModelFormat, Origin
from app.models.configs.fields import Json, Said, Unsaid, under
from app.models.configs.image_processors import said_by_processor
from app.models.configs.timm import is_timm, said_by_timm
from app.models.configs.transformers import said_by_transformers

OF_WEIGHTS = ("architecture", "architecture_options", "head", "weights_key", "ignore_tensors")
"""Fields that say which network a file of weights fits; a graph is its own."""
Told = dict[str, tuple[Origin, str | None]]
"""By a field's path in the model's description, the file that it is from, and a note."""


def completed(request: Any) -> tuple[Any, Told]:
    """The body of a registration with what ``config`` and ``preprocessor_config`` say of it.

    Raises Unprocessable for what they ask and a registration has no words for.
    """
    told: Told = {}
    if not isinstance(request, dict):
        return request, told
    is_graph = str(request.get("format")).lower() == ModelFormat.ONNX
    for name, origin in (("config", Origin.CONFIG), ("preprocessor_config", Origin.PREPROCESSOR_CONFIG)):
        file = request.get(name)
        if isinstance(file, dict):
            said = said_by_processor(file) if origin is Origin.PREPROCESSOR_CONFIG else _said_by(file)
            values = {key: one for key, one in said.values.items() if not (is_graph and key in OF_WEIGHTS)}
            request, taken = under(request, values)
            told |= {path: (origin, said.notes.get(path)) for path in taken}
    return request, told


def is_config(file: Json) -> bool:
    """Whether timm or transformers wrote it."""
    return is_timm(file) or "model_type" in file


def _said_by(config: Json) -> Said:
    if is_timm(config):
        return said_by_timm(config)
    if "model_type" in config:
        return said_by_transformers(config)
    raise Unsaid(CONFIG_UNKNOWN, ("config",)).error()
