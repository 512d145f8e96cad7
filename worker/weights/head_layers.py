"""Layers of a head: which tensors of a file are one, and the module that computes it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from app.domain.models.heads import WITH_WEIGHTS, Head, HeadLayer, LayerKind

Shapes = Mapping[str, tuple[int, ...]]

_OF_LINEAR = ({"weight"}, {"weight", "bias"})
_STATISTICS = {"running_mean", "running_var"}
_COUNTED = {"num_batches_tracked"}


@dataclass(frozen=True)
class Group:
    """The tensors of one module, by what it calls them: ``fc.1`` has a ``weight`` (2, 512) and a ``bias`` (2,)."""

    name: str
    shapes: dict[str, tuple[int, ...]]

    def gives(self, kind: LayerKind, takes: int) -> int | None:
        """How many features come of ``takes``, were it a layer of this kind; None where it cannot be one."""
        weight = self.shapes.get("weight", ())
        names = set(self.shapes) - _COUNTED
        if kind is LayerKind.LINEAR:
            fits = len(weight) == 2 and weight[1] == takes and names in _OF_LINEAR
            fits = fits and self.shapes.get("bias", weight[:1]) == weight[:1]
            return weight[0] if fits else None
        if kind is LayerKind.BATCHNORM:
            own = {name: shape for name, shape in self.shapes.items() if name not in _COUNTED}
            fits = names in (_STATISTICS, _STATISTICS | {"weight", "bias"}) and set(own.values()) == {(takes,)}
        elif kind is LayerKind.LAYERNORM:
            fits = names in _OF_LINEAR and set(self.shapes.values()) == {(takes,)}
        else:
            fits = kind is LayerKind.PRELU and names == {"weight"} and weight in ((1,), (takes,))
        return takes if fits else None


def groups_of(shapes: Shapes) -> list[Group]:
    """In the order of a Sequential's numbers, else in that of the file."""
    groups: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in shapes.items():
        module, _, own = name.rpartition(".")
        groups.setdefault(module, {})[own] = shape
    first: dict[tuple[str, ...], int] = {}
    order = {name: _place(tuple(name.split(".")), first) for name in groups}
    return [Group(name, groups[name]) for name in sorted(groups, key=order.__getitem__)]


def _place(path: tuple[str, ...], first: dict[tuple[str, ...], int]) -> list[tuple[int, int]]:
    starts = [path[: end + 1] for end in range(len(path))]
    seen = [first.setdefault(start, len(first)) for start in starts]
    return [(0, int(part)) if part.isdecimal() else (1, rank) for part, rank in zip(path, seen, strict=True)]


_POOLINGS = frozenset({LayerKind.AVGPOOL, LayerKind.MAXPOOL, LayerKind.CONCATPOOL})


class ConcatPool(nn.Module):
    """Fastai's ``AdaptiveConcatPool2d`` of one cell: the largest value of every channel, then the mean of each.

    ``maps`` (N, C, H, W) -> (N, 2 C, 1, 1).
    """

    def forward(self, maps: Tensor) -> Tensor:
        pool = nn.functional
        return torch.cat([pool.adaptive_max_pool2d(maps, 1), pool.adaptive_avg_pool2d(maps, 1)], 1)


_BARE: dict[LayerKind, Callable[..., nn.Module]] = {
    LayerKind.DROPOUT: nn.Dropout,
    LayerKind.FLATTEN: nn.Flatten,
    LayerKind.IDENTITY: nn.Identity,
    LayerKind.RELU: nn.ReLU,
    LayerKind.RELU6: nn.ReLU6,
    LayerKind.LEAKY_RELU: nn.LeakyReLU,
    LayerKind.ELU: nn.ELU,
    LayerKind.SELU: nn.SELU,
    LayerKind.GELU: nn.GELU,
    LayerKind.SILU: nn.SiLU,
    LayerKind.MISH: nn.Mish,
    LayerKind.HARDSWISH: nn.Hardswish,
    LayerKind.TANH: nn.Tanh,
    LayerKind.SIGMOID: nn.Sigmoid,
    LayerKind.SOFTPLUS: nn.Softplus,
    LayerKind.AVGPOOL: partial(nn.AdaptiveAvgPool2d, 1),
    LayerKind.MAXPOOL: partial(nn.AdaptiveMaxPool2d, 1),
    LayerKind.CONCATPOOL: ConcatPool,
    LayerKind.SOFTMAX: partial(nn.Softmax, dim=1),
    LayerKind.LOG_SOFTMAX: partial(nn.LogSoftmax, dim=1),
}


def head_module(layers: Sequence[HeadLayer], groups: Mapping[int, Group]) -> nn.Sequential:
    """The layers one after the other; ``groups`` by the number of the layer say how wide those with weights are."""
    return nn.Sequential(*(_made(layer, groups.get(number)) for number, layer in enumerate(layers)))


def _made(layer: HeadLayer, group: Group | None) -> nn.Module:
    if group is None:
        return _BARE[layer.kind](*([] if layer.number is None else [layer.number]))
    widths = group.shapes.get("weight") or group.shapes["running_mean"]
    eps: dict[str, Any] = {} if layer.number is None else {"eps": layer.number}
    has_weight, has_bias = "weight" in group.shapes, "bias" in group.shapes
    if layer.kind is LayerKind.LINEAR:
        return nn.Linear(widths[1], widths[0], bias=has_bias)
    if layer.kind is LayerKind.BATCHNORM:
        return nn.BatchNorm1d(widths[0], affine=has_weight, **eps)
    if layer.kind is LayerKind.LAYERNORM:
        return nn.LayerNorm(widths, bias=has_bias, **eps)
    return nn.PReLU(widths[0])


def with_head(network: nn.Module, head: Head, state_dict: Mapping[str, Tensor]) -> nn.Module:
    """The network with the head in its place, as wide as the weights, which have its names."""
    place = head.module or ""
    shapes = {name: tuple(one.shape) for name, one in state_dict.items() if name.startswith(f"{place}.")}
    groups = {int(group.name.rpartition(".")[2]): group for group in groups_of(shapes)}
    if set(groups) != {number for number, layer in enumerate(head.layers) if layer.kind in WITH_WEIGHTS}:
        raise ValueError("weights of another head")
    layers = head_module(head.layers, groups)
    pooling = getattr(network, "avgpool", None) or getattr(network, "global_pool", None)
    if head.layers[0].kind in _POOLINGS and _is_mean(pooling):
        # The network pools and flattens before this place: there the head's own pooling stands.
        pooling_name = "avgpool" if hasattr(network, "avgpool") else "global_pool"
        network.set_submodule(pooling_name, nn.Sequential(layers[0], nn.Flatten()))
        layers[0] = nn.Identity()
    network.set_submodule(place, layers)
    return network


def _is_mean(pooling: nn.Module | None) -> bool:
    """Whether it makes one cell of all, torchvision's or timm's with its flattening."""
    if isinstance(pooling, nn.AdaptiveAvgPool2d):
        return pooling.output_size in (1, (1, 1))
    is_flattened = isinstance(getattr(pooling, "flatten", None), nn.Flatten)
    return getattr(pooling, "pool_type", None) == "avg" and is_flattened
