"""What one call of a forward pass does to a feature map: writes to it, pools or flattens it, or looks at it anew."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

SOFTMAXES = frozenset({"softmax", "log_softmax"})
_REDUCTIONS = frozenset({"mean", "sum", "amax", "max", "amin", "std", "var", "logsumexp"})
_POOLS_OF_ROWS = frozenset({"adaptive_avg_pool1d", "adaptive_max_pool1d"})
VIEWS = frozenset({"view", "reshape", "flatten", "unflatten", "permute", "transpose", "contiguous", "getitem"})
FINAL_ACTIVATIONS = SOFTMAXES | {"sigmoid", "logsigmoid"}
"""Scores and gradients are taken before these, where one of them makes the network's output."""


def is_feature_map(value: object) -> bool:
    """(N, C, H, W) floating point with H * W > 1."""
    return isinstance(value, Tensor) and value.dim() == 4 and value.is_floating_point() and value[0, 0].numel() > 1


def is_in_place(name: str, options: dict[str, Any]) -> bool:
    """``relu_``, ``relu(inplace=True)`` and ``+=``, which torch calls ``add_``."""
    return (name.endswith("_") and not name.endswith("__")) or options.get("inplace") is True


def collapses(shape: torch.Size, result: object) -> bool:
    """Global pooling keeps the channels, flattening keeps every number; neither leaves rows and columns."""
    if not isinstance(result, Tensor) or result.dim() < 2 or result.shape[0] != shape[0]:
        return False
    pooled = result.shape[1] == shape[1] and result.numel() == shape[0] * shape[1]
    flattened = result.dim() == 2 and result.numel() == shape.numel()
    return pooled or flattened


def covers(name: str, shape: torch.Size, args: Sequence[Any], options: Mapping[str, Any]) -> bool:
    """A convolution as large as the map, without padding, is a flattening and a linear layer."""
    if name != "conv2d" or len(args) < 2 or args[1].shape[-2:] != shape[-2:]:
        return False
    padding = args[4] if len(args) > 4 else options.get("padding", 0)
    return padding in {0, (0, 0), "valid"}


def reduced(name: str, args: Sequence[Any], options: Mapping[str, Any], count: int) -> set[int]:
    """The axes that a call takes away by pooling; none where it names none."""
    if name in _POOLS_OF_ROWS:
        return {count - 1}
    if name not in _REDUCTIONS:
        return set()
    axes = options.get("dim", options.get("axis", args[1] if len(args) > 1 else ()))
    listed = axes if isinstance(axes, list | tuple) else (axes,)
    return {axis % count for axis in listed if isinstance(axis, int)}
