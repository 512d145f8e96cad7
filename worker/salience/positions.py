"""Where in the image every number of a network's tensors belongs, followed through the operations of one pass.

Convolutions and their kin say where things are; what moves numbers about moves their positions (`places`) likewise; a
linear layer means them over the channels, so that merged patches lie in the middle of their parts; attention puts its
result where its query was.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from weakref import ref

import torch
from torch import Tensor

from worker.salience.operations import ELEMENTWISE, MOVES, PRODUCTS, SPATIAL
from worker.salience.places import (
    NOWHERE,
    agreed,
    compact,
    grid_positions,
    is_constant,
    is_same,
    mixed,
    nowhere,
    reshaped,
)


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
        if name in SPATIAL and isinstance(taken, Tensor) and taken.dim() == 4:
            self.note_map(taken)

    def leaving(
        self, func: Callable[..., Any], name: str, args: Sequence[Any], options: Mapping[str, Any], result: object
    ) -> None:
        """A call has made ``result``."""
        if name in SPATIAL and isinstance(result, Tensor) and result.dim() == 4:
            self.note_map(result)
            return
        made = self._made(func, name, args, options, result)
        for tensor, positions in zip(_listed(result), _listed(made), strict=False):
            if isinstance(tensor, Tensor) and isinstance(positions, Tensor) and positions.shape == tensor.shape:
                self._note(tensor, compact(positions))

    def _made(
        self, func: Callable[..., Any], name: str, args: Sequence[Any], options: Mapping[str, Any], result: Any
    ) -> Any:
        made_tensors = any(isinstance(one, Tensor) for one in _listed(result))
        if not made_tensors or not any(self._is_known(one) for one in _flat((*args, *options.values()))):
            return None
        if name in MOVES:
            return self._moved(func, name, args, options, result)
        if name in ELEMENTWISE:
            return self._joined(_flat(args[:3]), result)
        if name in PRODUCTS:
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
            return reshaped(places[0], result.shape)
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
        return thin[0] if all(is_same(one, thin[0]) for one in thin) else None

    def _joined(self, values: Iterator[Any], result: object) -> Tensor | None:
        """Of the arguments that are as large as the result, the positions that are known."""
        if not isinstance(result, Tensor):
            return None
        alike = (one for one in values if isinstance(one, Tensor) and one.shape == result.shape)
        known = [positions for one in alike if (positions := self.of(one)) is not None]
        joined = known[0] if known else None
        for other in known[1:]:
            joined = None if joined is None else agreed(joined, other)
        return joined

    def _or_nowhere(self, value: Any) -> Any:
        """Positions in a tensor's stead; indices stay what they are."""
        if isinstance(value, list | tuple):
            return type(value)([self._or_nowhere(one) for one in value])
        if not isinstance(value, Tensor) or not value.is_floating_point():
            return value
        known = self.of(value)
        return nowhere(value) if known is None else known

    def _is_known(self, value: object) -> bool:
        return isinstance(value, Tensor) and self.of(value) is not None

    def _note(self, tensor: Tensor, positions: Tensor) -> None:
        self._known[id(tensor)] = (ref(tensor), positions)


def _computed(name: str, taken: Tensor, result: Any) -> Any:
    """Of what is computed from the channels of each cell, or put where a query was."""
    if name in {"linear", "scaled_dot_product_attention"}:
        return mixed(taken, -1).expand(result.shape)
    if name == "conv1d" and result.dim() == 3 and result.shape[-1] == taken.shape[-1]:
        return mixed(taken, 1).expand(result.shape)
    return (taken,) if name == "multi_head_attention_forward" else None


def _product(left: Tensor, right: Tensor, shape: torch.Size) -> Tensor | None:
    """Rows of a matrix product lie where those of the left factor do; where these are all one, columns tell."""
    if min(left.dim(), right.dim()) < 2:
        return None
    rows = mixed(left, -1)
    found = rows if not is_constant(rows, -2) else mixed(right, -2)
    try:
        return found.expand(shape)
    except RuntimeError:
        return None


def _listed(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield from value if isinstance(value, list | tuple) else (value,)
