"""Where in the image every number of a network's tensors belongs, followed through the operations of one pass.

A tensor's *positions* are an int64 tensor of its shape that packs the image's number in the batch with the row and the
column of the cell's centre, in parts of the image. What belongs to no cell, as class tokens do, is ``NOWHERE``.
Convolutions and their kin say where things are; what moves numbers about moves their positions likewise; a linear layer
means them over the channels, so that merged patches lie in the middle of their parts; attention puts its result where
its query was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor

NOWHERE = -1
BITS = 21
PARTS = 2**BITS
"""In so many parts an image's sides are counted."""

_CONVOLUTIONS = {"conv2d", "conv_transpose2d"}
_NORMS = {"batch_norm", "group_norm", "instance_norm", "local_response_norm"}
_POOLS = {"max_pool2d", "max_pool2d_with_indices", "avg_pool2d", "lp_pool2d", "fractional_max_pool2d"}
_ADAPTIVE_POOLS = {"adaptive_avg_pool2d", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices"}
_RESAMPLINGS = {"interpolate", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "dropout2d"}
# Whatever these take and make is NCHW, where it has four axes.
_SPATIAL = frozenset(_CONVOLUTIONS | _NORMS | _POOLS | _ADAPTIVE_POOLS | _RESAMPLINGS)
_RECTIFIERS = {"relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus"}
_SQUASHING = {"sigmoid", "tanh", "hardtanh", "hardswish", "hardsigmoid", "clamp", "clamp_min", "softmax", "normalize"}
_ARITHMETIC = {"add", "iadd", "radd", "sub", "isub", "rsub", "mul", "imul", "rmul", "div", "truediv", "neg", "pow"}
_MORE_ARITHMETIC = {"exp", "square", "lerp", "addcmul", "where", "masked_fill", "layer_norm", "rms_norm"}
_COPIES = {"dropout", "feature_dropout", "clone", "contiguous", "float", "to", "type", "type_as", "detach"}
# These leave every number where it is, or join tensors number by number.
_ELEMENTWISE = frozenset(_RECTIFIERS | _SQUASHING | _ARITHMETIC | _MORE_ARITHMETIC | _COPIES | _NORMS)
_RESHAPES = {"view", "reshape", "reshape_as", "view_as", "flatten", "unflatten", "squeeze", "unsqueeze", "expand"}
_TURNS = {"permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis", "t", "get", "roll", "flip", "rot90"}
_CUTS = {"getitem", "narrow", "select", "index_select", "gather", "chunk", "split", "split_with_sizes", "unbind"}
_JOINS = {"cat", "concat", "stack", "repeat", "repeat_interleave", "tile", "pad", "expand_as", "tensor_split"}
# These move numbers and compute nothing.
_MOVES = frozenset(_RESHAPES | _TURNS | _CUTS | _JOINS)
_PRODUCTS = frozenset({"matmul", "bmm"})


class Positions:
    """The positions of the tensors of one pass of ``images`` images; a tensor that it does not know has none."""

    def __init__(self, images: int) -> None:
        self._images = images
        self._known: dict[int, tuple[Callable[[], Tensor | None], Tensor]] = {}

    def of(self, tensor: Tensor) -> Tensor | None:
        """An id is its own as long as its tensor lives; what a pass has done with is not kept."""
        alive, positions = self._known.get(id(tensor), (None, None))
        return positions if alive is not None and alive() is tensor else None

    def note_map(self, tensor: Tensor) -> None:
        """An operation says that a tensor is a feature map (N, C, H, W)."""
        if len(tensor) == self._images:
            self._note(tensor, grid_positions(tuple(tensor.shape), tensor.device))

    def entering(self, name: str, taken: object) -> None:
        """A call is about to take its first argument."""
        if name in _SPATIAL and isinstance(taken, Tensor) and taken.dim() == 4:
            self.note_map(taken)

    def leaving(
        self, func: Callable[..., Any], name: str, args: Sequence[Any], options: Mapping[str, Any], result: object
    ) -> None:
        """A call has made ``result``."""
        if name in _SPATIAL and isinstance(result, Tensor) and result.dim() == 4:
            self.note_map(result)
            return
        made = self._made(func, name, args, options, result)
        for tensor, positions in zip(_listed(result), _listed(made), strict=False):
            if isinstance(tensor, Tensor) and isinstance(positions, Tensor) and positions.shape == tensor.shape:
                self._note(tensor, _compact(positions))

    def _made(
        self, func: Callable[..., Any], name: str, args: Sequence[Any], options: Mapping[str, Any], result: Any
    ) -> Any:
        made_tensors = any(isinstance(one, Tensor) for one in _listed(result))
        if not made_tensors or not any(self._is_known(one) for one in _flat((*args, *options.values()))):
            return None
        if name in _MOVES:
            return self._moved(func, name, args, options, result)
        if name in _ELEMENTWISE:
            return self._joined(_flat(args[:3]), result)
        if name in _PRODUCTS:
            return _product(self._or_nowhere(args[0]), self._or_nowhere(args[1]), result.shape)
        taken = self.of(args[0]) if isinstance(args[0], Tensor) else None
        return None if taken is None else _computed(name, taken, result)

    def _moved(
        self, func: Callable[..., Any], name: str, args: Sequence[Any], options: Mapping[str, Any], result: Any
    ) -> Any:
        """The same move of the positions. What of a concatenation over channels is unknown lies where the rest does."""
        if name in {"cat", "concat"} and (whole := self._of_channels(args, options)) is not None:
            return whole.expand(result.shape)
        places = [self._or_nowhere(one) for one in args]
        if name in {"view", "reshape", "flatten"}:
            return _reshaped(places[0], result.shape)
        if name == "pad" and options.get("mode", args[2] if len(args) > 2 else "constant") == "constant":
            sides = options.get("pad", args[1] if len(args) > 1 else ())
            return torch.nn.functional.pad(places[0], sides, value=NOWHERE)
        try:
            return func(*places, **{key: self._or_nowhere(value) for key, value in options.items()})
        except (RuntimeError, TypeError):
            return None

    def _of_channels(self, args: Sequence[Any], options: Mapping[str, Any]) -> Tensor | None:
        """Of a concatenation, one entry of its axis, where the known parts agree and do not change along it."""
        axis = options.get("dim", options.get("axis", args[1] if len(args) > 1 else 0))
        known = [positions for one in args[0] if (positions := self.of(one)) is not None]
        if not all(one.shape[axis] > 1 and is_constant(one, axis) for one in known):
            return None
        thin = [one.narrow(axis, 0, 1) for one in known]
        return thin[0] if all(_is_same(one, thin[0]) for one in thin) else None

    def _joined(self, values: Iterator[Any], result: object) -> Tensor | None:
        """Of the arguments that are as large as the result, the positions that are known."""
        if not isinstance(result, Tensor):
            return None
        alike = (one for one in values if isinstance(one, Tensor) and one.shape == result.shape)
        known = [positions for one in alike if (positions := self.of(one)) is not None]
        joined = known[0] if known else None
        for other in known[1:]:
            joined = None if joined is None else _agreed(joined, other)
        return joined

    def _or_nowhere(self, value: Any) -> Any:
        """Positions in a tensor's stead; indices stay what they are."""
        if isinstance(value, list | tuple):
            return type(value)([self._or_nowhere(one) for one in value])
        if not isinstance(value, Tensor) or not value.is_floating_point():
            return value
        known = self.of(value)
        return _nowhere(value) if known is None else known

    def _is_known(self, value: object) -> bool:
        return isinstance(value, Tensor) and self.of(value) is not None

    def _note(self, tensor: Tensor, positions: Tensor) -> None:
        self._known[id(tensor)] = (ref(tensor), positions)


def grid_positions(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Of feature maps (N, C, H, W)."""
    images, _, height, width = shape
    down, right = (((2 * torch.arange(size, device=device) + 1) * PARTS) // (2 * size) for size in (height, width))
    first = torch.arange(images, device=device).view(-1, 1, 1, 1)
    return packed(first, down.view(1, 1, -1, 1), right.view(1, 1, 1, -1)).expand(shape)


def packed(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    return (images << 2 * BITS) + (down << BITS) + right


def unpacked(positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Image, row and column; of what is somewhere."""
    return positions >> 2 * BITS, (positions >> BITS) % PARTS, positions % PARTS


def is_constant(positions: Tensor, axis: int) -> bool:
    """Whether nothing changes along an axis."""
    if positions.shape[axis] == 1 or positions.stride(axis) == 0:
        return True
    return bool((positions == positions.narrow(axis, 0, 1)).all())


def _nowhere(tensor: Tensor) -> Tensor:
    return torch.full((), NOWHERE, device=tensor.device).expand(tensor.shape)


def _compact(positions: Tensor) -> Tensor:
    """The same, without memory for channels that have one position."""
    for axis in (1, -1):
        if positions.dim() > 2 and positions.stride(axis) != 0 and is_constant(positions, axis):
            positions = positions.narrow(axis, 0, 1).clone().expand(positions.shape)
    return positions


def _thin(positions: Tensor) -> Tensor:
    """Without axes along which nothing changes; such axes keep one entry."""
    for axis in range(positions.dim()):
        if positions.stride(axis) == 0:
            positions = positions.narrow(axis, 0, 1)
    return positions


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(_thin(one), _thin(other))


def _agreed(one: Tensor, other: Tensor) -> Tensor | None:
    """Each fills the other's gaps. Of two that differ, the one that tells more places apart: what a residual branch
    mixed over cells is added to where it came from. None where neither does.
    """
    shape, one, other = one.shape, _thin(one), _thin(other)
    if bool(((one >= 0) & (other >= 0) & (one != other)).any()):
        counts = len(torch.unique(one)), len(torch.unique(other))
        chosen = None if counts[0] == counts[1] else (one if counts[0] > counts[1] else other)
        return None if chosen is None else chosen.expand(shape)
    return torch.where(one >= 0, one, other).expand(shape)


def _mixed(positions: Tensor, axis: int) -> Tensor:
    """The middle over an axis, kept with one entry; of what is somewhere."""
    if is_constant(positions, axis):
        return positions.narrow(axis, 0, 1)
    somewhere = positions >= 0
    count = somewhere.sum(axis, keepdim=True).clamp(min=1)
    sums = (part.where(somewhere, 0).sum(axis, keepdim=True) for part in unpacked(positions))
    middle = packed(*(total // count for total in sums))
    return middle.where(somewhere.any(axis, keepdim=True), NOWHERE)


def _computed(name: str, taken: Tensor, result: Any) -> Any:
    """Of what is computed from the channels of each cell, or put where a query was."""
    if name in {"linear", "scaled_dot_product_attention"}:
        return _mixed(taken, -1).expand(result.shape)
    if name == "conv1d" and result.dim() == 3 and result.shape[-1] == taken.shape[-1]:
        return _mixed(taken, 1).expand(result.shape)
    return (taken,) if name == "multi_head_attention_forward" else None


def _product(left: Tensor, right: Tensor, shape: torch.Size) -> Tensor | None:
    """Rows of a matrix product lie where those of the left factor do; where these are all one, columns tell."""
    if min(left.dim(), right.dim()) < 2:
        return None
    rows = _mixed(left, -1)
    found = rows if not is_constant(rows, -2) else _mixed(right, -2)
    try:
        return found.expand(shape)
    except RuntimeError:
        return None


def _reshaped(positions: Tensor, shape: torch.Size) -> Tensor:
    """In another shape; without memory for the channels where the last axis stays."""
    if positions.stride(-1) == 0 and positions.shape[-1] == shape[-1]:
        return positions[..., :1].reshape(*shape[:-1], 1).expand(shape)
    return positions.reshape(shape)


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list | tuple) else (value,)
