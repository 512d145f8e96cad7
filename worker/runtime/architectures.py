"""Networks by name, from torchvision or, where it is installed, timm; weights come only from the upload."""

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from app.errors import InputFailure

StateDict = dict[str, Tensor]
Maker = Callable[[int], nn.Module]

_TIMM_PREFIX = "timm/"
_NAME = re.compile(r"[a-zA-Z0-9_.]+")
_TRIAL_CLASSES = (7, 11)


def build(architecture: str, state_dict: StateDict) -> nn.Module:
    """The network in eval mode, float32, with exactly these weights and as many classes as they have.

    Raises InputFailure: ``model-architecture-unknown``, or ``model-architecture-mismatch`` naming the first tensor
    that is missing, unexpected or of another shape.
    """
    make = _maker(architecture, state_dict)
    classes = _class_count(make, state_dict)
    with torch.device("meta"):
        expected = make(classes).state_dict()
    _check(expected, state_dict)
    module = make(classes)
    module.load_state_dict({name: _as_stored(tensor) for name, tensor in state_dict.items()}, strict=True, assign=True)
    return module.eval()


def _maker(architecture: str, state_dict: StateDict) -> Maker:
    name = architecture.removeprefix(_TIMM_PREFIX)
    if _NAME.fullmatch(name):
        if name == architecture and name in torchvision.models.list_models(module=torchvision.models):
            return _torchvision_maker(name, state_dict)
        if find_spec("timm"):
            import timm  # noqa: PLC0415 - an extra

            if timm.is_model(name):
                return lambda classes: timm.create_model(name, pretrained=False, num_classes=classes)
    known = "a torchvision classification architecture" + (" or a timm one" if find_spec("timm") else "")
    raise InputFailure("model-architecture-unknown", f"{architecture[:200]!r} is not the name of {known}.")


def _torchvision_maker(name: str, state_dict: StateDict) -> Maker:
    make = torchvision.models.get_model_builder(name)
    options: dict[str, Any] = {"weights": None}
    # Their published weights have auxiliary heads, which eval mode never runs.
    if name in {"googlenet", "inception_v3"}:
        auxiliary = any(key.startswith(("aux", "AuxLogits")) for key in state_dict)
        options |= {"init_weights": False, "aux_logits": auxiliary}
    return lambda classes: make(num_classes=classes, **options)


def _class_count(make: Maker, state_dict: StateDict) -> int:
    """Read off the first tensor whose shape depends on the number of classes."""
    with torch.device("meta"):
        shapes = [{name: tensor.shape for name, tensor in make(n).state_dict().items()} for n in _TRIAL_CLASSES]
    for name, shape in shapes[0].items():
        if shape != shapes[1][name]:
            given = state_dict.get(name)
            if given is None or given.dim() == 0:
                raise InputFailure("model-architecture-mismatch", f"The tensor {name!r} is missing.")
            return max(int(given.shape[0]), 1)
    raise InputFailure("model-architecture-unknown", "The architecture has no classifier.")


def _check(expected: Mapping[str, Tensor], given: StateDict) -> None:
    missing = [name for name in expected if name not in given]
    extra = [name for name in given if name not in expected]
    [name for name in expected if name in given and given[name].shape != expected[name].shape]
    problems = [
        (missing, "missing from the file"),
        (extra, "in the file, but not in the architecture"),
        (
            [name for name in expected if name in given and given[name].shape != expected[name].shape],
            "of another shape",
        ),
    ]
    for names, what in problems:
        if names:
            first = names[0]
            detail = f"{len(names)} tensor(s) {what}, the first {first[:200]!r}{_shapes(first, expected, given)}."
            raise InputFailure("model-architecture-mismatch", detail)


def _shapes(name: str, expected: Mapping[str, Tensor], given: StateDict) -> str:
    if name not in expected or name not in given:
        return ""
    return f" (expected {list(expected[name].shape)}, found {list(given[name].shape)})"


def _as_stored(tensor: Tensor) -> Tensor:
    """Half precision is upcast: salience is computed in float32."""
    return tensor.float() if tensor.is_floating_point() else tensor
