"""Compares a module that was pickled whole with the network that was built for it: what no tensor shows.

Its code is not in the file and would not be run. Its layers' settings are: a kernel, a stride, an activation.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn

from app.domain.refusals.networks import TRANSFORMED
from app.domain.vocabulary import Origin
from worker.weights.fitting import Facts, FittedWeights
from worker.weights.tensor_names import WRAPPERS
from worker.weights.walking import TORCHSCRIPT, ModuleRecord
from worker.wire.facts import DescribedFact

# Of no effect on what a network in eval mode computes, or shown by the shapes of its tensors.
_WITHOUT_EFFECT = frozenset(
    {"training", "momentum", "inplace", "p", "drop_prob", "scale_by_keep", "drop_rate", "dropout", "call_super_init"}
    | {"in_channels", "out_channels", "in_features", "out_features", "num_features", "affine", "num_classes"}
    | {"transposed", "output_padding", "dump_patches", "return_indices", "fused_attn", "track_running_stats"}
)
_OF_CONTAINERS = frozenset({"transform_input", "shift_size", "window_size", "num_heads", "scale"})
_PASSING = frozenset({"Identity", "Dropout", "Dropout1d", "Dropout2d", "FeatureDropout", "DropPath", "StochasticDepth"})
_SAME = {"SyncBatchNorm": "BatchNorm2d", "NonDynamicallyQuantizableLinear": "Linear", "Swish": "SiLU"}


def check_recorded(found: FittedWeights, module: nn.Module) -> Facts:
    """What the description tells of a pickled module; empty where the file has none.

    Raises InputFailure ``model-architecture-mismatch`` with both values where a layer is set otherwise.
    """
    records = dict(_records(found))
    root = records.get("")
    if root is None:
        return {}
    built = dict(module.named_modules())
    if found.match.library is None:
        for name, record in records.items():
            if name in built:
                _compare(found.architecture, name, record, built[name])
    own = f"{type(module).__module__}.{type(module).__qualname__}"
    if root.class_path == own and found.match.library is None and records.keys() <= built.keys():
        return {"network": DescribedFact(value=root.class_path, origin=Origin.FILE)}
    kind = "TorchScript" if root.class_path.startswith(TORCHSCRIPT) else "a pickled module"
    note = f"The file is {kind}, whose code is not run: that it computes what {own} computes is assumed."
    return {"network": DescribedFact(value=root.class_path, origin=Origin.ASSUMED, note=note)}


def recorded_options(found: FittedWeights) -> dict[str, bool]:
    """Options of the network that its pickled module tells, and no tensor: they need not be assumed."""
    root = dict(_records(found)).get("")
    value = root.attributes.get("transform_input") if root else None
    return {"transform_input": value} if isinstance(value, bool) else {}


def _records(found: FittedWeights) -> Iterator[tuple[str, ModuleRecord]]:
    """By the names of the network's modules."""
    key = found.match.key
    for path, record in found.contents.modules.items():
        name = ".".join(part for part in path if part not in WRAPPERS) if found.match.wrappers else ".".join(path)
        if not key or f"{name}.".startswith(f"{key}."):
            yield name[len(key) + 1 :] if key else name, record


def _compare(architecture: str, name: str, record: ModuleRecord, built: nn.Module) -> None:
    is_leaf = not any(True for _ in built.children())
    recorded, own = record.class_path.rpartition(".")[2], type(built).__name__
    recorded, own = _SAME.get(recorded, recorded), _SAME.get(own, own)
    if is_leaf and recorded != own and not {recorded, own} <= _PASSING:
        _refuse(architecture, name, "the type", recorded, own)
    for field, value in record.attributes.items():
        compared = (field not in _WITHOUT_EFFECT and not field.startswith("_")) if is_leaf else field in _OF_CONTAINERS
        if compared and hasattr(built, field) and not _equal(value, getattr(built, field)):
            _refuse(architecture, name, field, repr(value), repr(getattr(built, field)))


def _refuse(architecture: str, name: str, field: str, recorded: str, expected: str) -> None:
    shown = repr(name) if name else "at the root"
    raise TRANSFORMED.failure(name=shown, field=field, found=recorded, expected=expected, architecture=architecture)


def _equal(recorded: Any, built: Any) -> bool:
    """A size of 3 is (3, 3); what is no plain value on either side tells nothing."""
    if isinstance(recorded, (tuple, list)) and isinstance(built, (tuple, list)):
        return tuple(recorded) == tuple(built)
    for one, other in ((recorded, built), (built, recorded)):
        if isinstance(one, (tuple, list)) and isinstance(other, (int, float)):
            return all(item == other for item in one)
    if isinstance(built, (bool, int, float, str)) and isinstance(recorded, (bool, int, float, str)):
        return bool(recorded == built)
    return recorded is not None or built is None or not isinstance(built, (bool, int, float, str, tuple))
