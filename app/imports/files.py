"""Which of a version's files has the weights, and which the description; names alone decide, nothing is run."""

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from app.domain.vocabulary import ModelFormat, Origin
from app.errors import InputFailure, Unprocessable
from app.models.configs.reading import is_config
from app.models.imported import Found, check_found

DESCRIPTIONS = ("salience.json", "extra_files/salience.json")
MLMODEL = "MLmodel"
CONFIGS = ("config.json", "preprocessor_config.json")
"""As timm and transformers save them."""
MAX_TEXT_BYTES = 256 * 1024
"""Of a description, of MLmodel, or of a config."""
WEIGHTS = (
    "model.safetensors",
    "pytorch_model.bin",
    "data/model.safetensors",
    "data/model.pth",
    "data/model.pt2",
    "state_dict.pth",
    "model.pth",
    "model.pt",
    "model.pt2",
    "model.onnx",
)
"""The first that is there."""
SUFFIXES = (".safetensors", ".pth", ".pt", ".pt2", ".bin", ".onnx")

_FENCED = re.compile(r"```(?:json)?\s*(\{.*?\})\s*```", re.DOTALL)


def weights_file(names: Iterable[str]) -> str:
    """Raises InputFailure where there is none, or several that could be it."""
    found = sorted(name for name in names if name.rpartition("/")[0] in {"", "data", "extra_files"})
    known = next((name for name in WEIGHTS if name in found), None)
    others = [name for name in found if name.endswith(SUFFIXES)]
    if known is not None:
        return known
    if len(others) == 1:
        return others[0]
    if others:
        listed = ", ".join(others[:5])
        detail = f"Several files of the version could be its weights: {listed}. Register it with one of them."
    else:
        detail = (
            f"No file of the version has weights that are read ({', '.join(WEIGHTS)}). Log it by mlflow.pytorch, or "
            "its state_dict as safetensors."
        )
    raise InputFailure("model-format-not-accepted", detail)


def of_file(name: str) -> Found:
    """What the kind of the file says."""
    kinds = {".safetensors": ModelFormat.SAFETENSORS, ".onnx": ModelFormat.ONNX}
    kind = next((kind for suffix, kind in kinds.items() if name.endswith(suffix)), ModelFormat.STATE_DICT)
    return Origin.ARTIFACT, {"format": kind.value}


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
    if not isinstance(told, dict) or (name == Origin.CONFIG and not is_config(told)):
        return []
    return [(Origin(name), {name.removesuffix(".json"): told})]


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
