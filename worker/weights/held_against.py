"""Weights held against what a network asks for."""

from collections.abc import Mapping

from torch import Tensor, nn

from app.domain.refusals.networks import MISSING, OTHER_SHAPE, OTHER_TYPE, UNEXPECTED
from worker.weights.options import allowed_options


def check_weights(architecture: str, module: nn.Module, given: Mapping[str, Tensor]) -> None:
    """Raises InputFailure ``model-architecture-mismatch``, which names the first tensor that is not as asked for."""
    expected = module.state_dict()
    shared = [name for name in expected if name in given]
    faults = {
        MISSING: [name for name in expected if name not in given],
        UNEXPECTED: [name for name in given if name not in expected],
        OTHER_SHAPE: [name for name in shared if given[name].shape != expected[name].shape],
        OTHER_TYPE: [name for name in shared if _is_float(given[name]) != _is_float(expected[name])],
    }
    for refusal, names in faults.items():
        if names:
            name = f"{names[0][:200]!r}"
            first = f"{name}{_difference(names[0], expected, given)}"
            options = ", ".join(allowed_options(module)) or "none"
            raise refusal.failure(count=len(names), first=first, architecture=architecture, options=options)


def _difference(name: str, expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    if name not in expected or name not in given:
        return ""
    wanted, found = (f"{list(tensor.shape)} {tensor.dtype}" for tensor in (expected[name], given[name]))
    return f" (expected {wanted}, found {found})"


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point()
