"""What a version's files say of the model: which of them, and how each is read."""

import json
import re
from typing import Any

import yaml

from app.domain.vocabulary import Origin
from app.errors import InputFailure, Unprocessable
from app.models.configs.reading import is_config
from app.models.imported import Found, check_found

DESCRIPTIONS = ("salience.json", "extra_files/salience.json")
MLMODEL = "MLmodel"
CONFIGS = {
    "config.json": Origin.CONFIG,
    "model/config.json": Origin.CONFIG,
    "preprocessor_config.json": Origin.PREPROCESSOR_CONFIG,
    "model/preprocessor_config.json": Origin.PREPROCESSOR_CONFIG,
    "components/image_processor/preprocessor_config.json": Origin.PREPROCESSOR_CONFIG,
}
"""As timm and transformers save them, alone or by MLflow."""
MAX_TEXT_BYTES = 256 * 1024
"""Of a description, of MLmodel, or of a config."""
_FENCED = re.compile(r"```(?:json)?\s*(\{.*?\})\s*```", re.DOTALL)


def of_salience_json(text: bytes) -> Found:
    """Raises InputFailure ``description-invalid``."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFailure("description-invalid", "The version's salience.json is no JSON.") from error
    return Origin.SALIENCE_JSON, _checked(told, "salience.json")


def of_config(name: str, text: bytes) -> list[Found]:
    """Empty where neither library wrote it. Raises InputFailure ``description-invalid``."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputFailure("description-invalid", f"The version's {name} is no JSON.") from error
    origin = CONFIGS[name]
    if not isinstance(told, dict) or (origin is Origin.CONFIG and not is_config(told)):
        return []
    return [(origin, {origin.removesuffix(".json"): told})]


def of_mlmodel(text: bytes) -> list[Found]:
    """``metadata: {salience: {...}}`` of MLmodel, where it is there. Raises InputFailure."""
    try:
        told = yaml.safe_load(text)
        metadata = (told.get("metadata") or {}).get("salience")
    except (yaml.YAMLError, AttributeError, ValueError, RecursionError) as error:
        raise InputFailure("description-invalid", "The version's MLmodel cannot be read.") from error
    return [] if metadata is None else [(Origin.MLMODEL, _checked(metadata, "MLmodel's metadata.salience"))]


def of_words(description: str) -> list[Found]:
    """JSON that stands in the version's description, alone or fenced; other words say nothing."""
    fenced = _FENCED.search(description)
    text = fenced[1] if fenced else description.strip()
    if not text.startswith("{"):
        return []
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [(Origin.REGISTRY, _checked(told, "the version's description"))]


def _checked(told: Any, where: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise InputFailure("description-invalid", f"The description in {where} is no object.")
    try:
        return check_found(told)
    except Unprocessable as error:
        raise InputFailure(error.code, f"{error.detail} It stands in {where}.") from error
