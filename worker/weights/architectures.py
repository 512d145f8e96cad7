"""Networks by name, from torchvision or, where it is installed, timm; weights come only from the upload."""

import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from app.errors import InputFailure
from worker.weights.options import Options, with_options

StateDict = dict[str, Tensor]
Maker = Callable[..., nn.Module]

_TIMM_PREFIX = "timm/"
_NAME = re.compile(r"[a-zA-Z0-9_.]+")
_TRIAL_CLASSES = (7, 11)
_BATCH_COUNT = "num_batches_tracked"
# The names in torchvision's own DenseNet files: "norm.1" for "norm1".
_OLD_DENSENET = re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\.(?:weight|bias|running_mean|running_var))")


def build(architecture: str, state_dict: StateDict, options: Options = MappingProxyType({})) -> nn.Module:
    """The network in eval mode, float32, with exactly these weights and as many classes as they have.

    Raises InputFailure: ``model-architecture-unknown``, ``architecture-options-invalid``, or
    ``model-architecture-mismatch`` naming the first tensor that is missing, unexpected, or of another shape or type.
    """
    weights = {_present_name(architecture, name): tensor for name, tensor in state_dict.items()}
    with _WithoutMemory():
        make = with_options(_maker(architecture, weights), architecture, options)
    classes = _class_count(make, weights)
    with _WithoutMemory():
        module = make(classes)
    expected = module.state_dict()
    # Files from before PyTorch 0.4.1 lack these counters, torchvision's among them; eval mode never reads them.
    weights |= {name: torch.tensor(0) for name in expected if name.endswith(_BATCH_COUNT) and name not in weights}
    _check(expected, weights)
    if any(tensor.is_meta and name not in expected for name, tensor in module.named_buffers()):
        module = make(classes)
    for name, tensor in expected.items():
        # Filled in place: this mapping carries the versions that some architectures (MNASNet) ask for.
        expected[name] = _as_expected(weights[name], tensor)
    module.load_state_dict(expected, assign=True)
    return module.eval()


class _WithoutMemory(TorchFunctionMode):
    """New weights get a shape, but no memory.

    Unlike under ``torch.device("meta")``, the small tensors with which RegNets compute their widths keep values.
    """

    _ALLOCATIONS = frozenset({torch.empty, torch.ones, torch.zeros, torch.rand, torch.randn})

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        return func(*args, **(options | {"device": "meta"} if func in self._ALLOCATIONS else options))


def _present_name(architecture: str, name: str) -> str:
    old = _OLD_DENSENET.fullmatch(name) if architecture.startswith("densenet") else None
    return f"{old[1]}{old[2]}" if old else name


def _maker(architecture: str, state_dict: StateDict) -> Maker:
    name = architecture.removeprefix(_TIMM_PREFIX)
    if _NAME.fullmatch(name):
        if name == architecture and name in torchvision.models.list_models(module=torchvision.models):
            return _torchvision_maker(name, state_dict)
        if find_spec("timm"):
            import timm  # noqa: PLC0415 - an extra

            if timm.is_model(name):
                return lambda classes, **more: timm.create_model(name, pretrained=False, num_classes=classes, **more)
    known = "a torchvision classification architecture" + (" or a timm one" if find_spec("timm") else "")
    raise InputFailure("model-architecture-unknown", f"{architecture[:200]!r} is not the name of {known}.")


def _torchvision_maker(name: str, state_dict: StateDict) -> Maker:
    make = torchvision.models.get_model_builder(name)
    options: dict[str, Any] = {"weights": None}
    # Their published weights have auxiliary heads, which eval mode never runs.
    if name in {"googlenet", "inception_v3"}:
        auxiliary = any(key.startswith(("aux", "AuxLogits")) for key in state_dict)
        options |= {"init_weights": False, "aux_logits": auxiliary}
    return lambda classes, **more: make(num_classes=classes, **options | more)


def _class_count(make: Maker, state_dict: StateDict) -> int:
    """Read off the first tensor whose shape depends on the number of classes."""
    with _WithoutMemory():
        shapes = [{name: tensor.shape for name, tensor in make(n).state_dict().items()} for n in _TRIAL_CLASSES]
    for name, shape in shapes[0].items():
        if shape != shapes[1][name]:
            given = state_dict.get(name)
            # A network for as many classes as an empty tensor claims would have to be made before the shapes differ.
            if given is None or given.dim() == 0 or not 0 < len(given) <= given.numel():
                raise InputFailure("model-architecture-mismatch", f"The tensor {name!r} is missing or empty.")
            return len(given)
    raise InputFailure("model-architecture-unknown", "The architecture has no classifier.")


def _check(expected: Mapping[str, Tensor], given: StateDict) -> None:
    shared = [name for name in expected if name in given]
    faults = {
        "missing from the file": [name for name in expected if name not in given],
        "in the file, but not in the architecture": [name for name in given if name not in expected],
        "of another shape": [name for name in shared if given[name].shape != expected[name].shape],
        "of another type": [name for name in shared if _is_float(given[name]) != _is_float(expected[name])],
    }
    for fault, names in faults.items():
        if names:
            first = names[0]
            detail = f"{len(names)} tensor(s) {fault}, the first {first[:200]!r}{_difference(first, expected, given)}."
            raise InputFailure("model-architecture-mismatch", detail)


def _difference(name: str, expected: Mapping[str, Tensor], given: StateDict) -> str:
    if name not in expected or name not in given:
        return ""
    wanted, found = (f"{list(tensor.shape)} {tensor.dtype}" for tensor in (expected[name], given[name]))
    return f" (expected {wanted}, found {found})"


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point()


def _as_expected(tensor: Tensor, expected: Tensor) -> Tensor:
    """Half precision is upcast, since salience is computed in float32; counters keep the architecture's type."""
    return tensor.float() if tensor.is_floating_point() else tensor.to(expected.dtype)
