"""What the axes of a network's tensors are, known from the operations that make and take them, never from shapes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor

Axes = tuple[str, ...]

NCHW: Axes = ("n", "c", "h", "w")
FLAT: Axes = ("n", "c", "hw")
"""A feature map whose rows and columns were flattened into one axis."""

_CONVOLUTIONS = {"conv2d", "conv_transpose2d"}
_NORMS = {"batch_norm", "group_norm", "instance_norm", "local_response_norm"}
_POOLS = {"max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "lp_pool2d", "fractional_max_pool2d"}
_ADAPTIVE_POOLS = {"adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices"}
_RESAMPLINGS = {"interpolate", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "dropout2d"}
# Whatever these take and make is NCHW.
_SPATIAL = frozenset(_CONVOLUTIONS | _NORMS | _POOLS | _ADAPTIVE_POOLS | _RESAMPLINGS)
_REDUCTIONS = frozenset({"mean", "sum", "amax", "max", "amin", "std", "var", "logsumexp"})
_POOLS_OF_ROWS = frozenset({"adaptive_avg_pool1d", "adaptive_max_pool1d"})
_RECTIFIERS = {"relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus"}
_SQUASHING = {"sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "clamp", "clamp_min"}
_ARITHMETIC = {"add", "iadd", "radd", "sub", "mul", "imul", "rmul", "div", "neg", "pow", "lerp", "addcmul"}
_COPIES = {"dropout", "feature_dropout", "clone", "contiguous", "float", "to", "type", "detach"}
# These leave every number where it is, or join tensors number by number.
_ELEMENTWISE = frozenset(_RECTIFIERS | _SQUASHING | _ARITHMETIC | _COPIES)
_OVER_CHANNELS = frozenset({"layer_norm", "rms_norm", "linear"})
"""These act on the last axis and leave the others where they are."""


class Layouts:
    """The axes of the tensors of one pass; a tensor that it does not know has none."""

    def __init__(self) -> None:
        self._axes: dict[int, Axes] = {}
        self._maps: dict[int, Tensor] = {}
        self._kept: list[Tensor] = []

    def of(self, tensor: Tensor) -> Axes | None:
        return self._axes.get(id(tensor))

    def map_behind(self, tensor: Tensor) -> Tensor | None:
        """The feature map that this tensor is the flattened form of."""
        return self._maps.get(id(tensor))

    def entering(self, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> None:
        """A call is about to take its first argument."""
        taken = args[0] if args else None
        if isinstance(taken, Tensor) and taken.dim() == 4:
            pools = name in _REDUCTIONS and _reduced(args, options, 4) == {2, 3}
            if (pools and self.of(taken) is None) or name in _SPATIAL:
                self._note(taken, NCHW)

    def leaving(self, name: str, args: Sequence[Any], options: Mapping[str, Any], result: object) -> None:
        """A call has made ``result``."""
        if not isinstance(result, Tensor) or not args or not isinstance(args[0], Tensor):
            return
        axes = self._made(name, args, options, result)
        if axes is not None:
            self._note(result, axes)
        if name in {"permute", "transpose", "contiguous"} and id(args[0]) in self._maps:
            self._maps[id(result)] = self._maps[id(args[0])]
        elif axes == FLAT:
            self._maps[id(result)] = args[0]

    def pooled_map(self, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Tensor | None:
        """The feature map of which a call pools the flattened rows and columns."""
        taken = args[0] if args else None
        axes = self.of(taken) if isinstance(taken, Tensor) else None
        if not isinstance(taken, Tensor) or axes is None or "hw" not in axes:
            return None
        place = axes.index("hw")
        reduces = name in _REDUCTIONS and _reduced(args, options, len(axes)) == {place}
        pools = name in _POOLS_OF_ROWS and place == len(axes) - 1
        return self.map_behind(taken) if reduces or pools else None

    def _made(self, name: str, args: Sequence[Any], options: Mapping[str, Any], result: Tensor) -> Axes | None:
        first = self.of(args[0])
        if name in _SPATIAL and result.dim() == 4:
            return NCHW
        if name == "cat" or name in _ELEMENTWISE:
            return self._joined(args, result)
        if first is None:
            return None
        if name in {"permute", "transpose"}:
            return _turned(name, first, args, options)
        if name in _OVER_CHANNELS and first[-1] == "c" and len(first) == result.dim():
            return first
        flattens = name == "flatten" and first == NCHW and result.dim() == 3 and result.shape[1] == args[0].shape[1]
        return FLAT if flattens else None

    def _joined(self, args: Sequence[Any], result: Tensor) -> Axes | None:
        """Of the arguments that are as large as the result, the axes that are known."""
        tensors = [one for one in _flat(args[:3]) if isinstance(one, Tensor) and one.dim() == result.dim() == 4]
        known = {axes for one in tensors if one.shape[-2:] == result.shape[-2:] and (axes := self.of(one))}
        return known.pop() if len(known) == 1 else None

    def _note(self, tensor: Tensor, axes: Axes) -> None:
        self._axes[id(tensor)] = axes
        self._kept.append(tensor)  # an id is its own as long as its tensor lives


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list | tuple) else (value,)


def _reduced(args: Sequence[Any], options: Mapping[str, Any], count: int) -> set[int]:
    """The axes that a reduction takes away; none where it names none."""
    axes = options.get("dim", options.get("axis", args[1] if len(args) > 1 else ()))
    listed = axes if isinstance(axes, list | tuple) else (axes,)
    return {axis % count for axis in listed if isinstance(axis, int)}


def _turned(name: str, axes: Axes, args: Sequence[Any], options: Mapping[str, Any]) -> Axes | None:
    places = [place for place in _flat((*args[1:], *options.values())) if isinstance(place, int)]
    if name == "permute" and len(places) == len(axes):
        return tuple(axes[place] for place in places)
    if name == "transpose" and len(places) == 2:
        turned = list(axes)
        turned[places[0]], turned[places[1]] = turned[places[1]], turned[places[0]]
        return tuple(turned)
    return None
