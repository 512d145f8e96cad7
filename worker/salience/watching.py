"""Notes what happens in one forward pass: what modules put out, what calls take, pool, write to and end with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self
from weakref import ref

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from app.domain.vocabulary import Layout
from worker.salience.calls import FINAL_ACTIVATIONS, VIEWS, collapses, covers, is_feature_map, is_in_place, reduced
from worker.salience.layouts import Arrangement, arrangement_of
from worker.salience.positions import Positions

Ref = Callable[[], Tensor | None]
Row = tuple[float, float, float]
"""Sum, sum of absolute values and sum of squares of one image's part of a tensor."""


class Event(NamedTuple):
    """A tensor leaves a module (``name``) or enters a call (None), the ``calls``-th on a tensor of four axes.

    ``version`` counts the writes to it so far, through views of it too.
    """

    name: str | None
    tensor: Tensor
    calls: int
    version: int
    row: Row | None = None


class Watch(TorchFunctionMode):
    """Notes the calls of a forward pass; inside the handler the mode itself is off."""

    def __init__(self, images: int) -> None:
        super().__init__()
        self.images = images
        self.positions = Positions(images)
        self.made: list[Event] = []
        self.taken: list[Event] = []
        """Those that enter calls and have four axes: the ones that places are counted in."""
        self.worked_on: list[Event] = []
        """Those of which the call made a tensor: not those that were asked for their shape."""
        self.collapse: Event | None = None
        self.outlived = False
        """Tokens were worked on since the collapse."""
        self.in_place: dict[str, None] = {}
        self.activated: tuple[object, str] | None = None
        self.own_modes = False
        self._depth = 0
        self._behind: dict[int, tuple[Ref, Ref]] = {}

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        self._depth = _modes()
        return self

    def note_output(self, name: str, tensor: Tensor) -> None:
        self.own_modes |= _modes() > self._depth
        row = _row_of_map(tensor, self.images)
        if row is not None:
            self.made.append(self._event(tensor, name)._replace(row=row))

    def arrangement(self, tensor: Tensor) -> Arrangement | None:
        """Of a feature map, as the operations tell."""
        with torch._C.DisableTorchFunction():  # noqa: SLF001
            return arrangement_of(self.positions.of(tensor), self.images)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name, options = getattr(func, "__name__", ""), kwargs or {}
        plain = name.strip("_")
        first: Any = args[0] if args else None
        entered, shape = None, torch.Size()
        self._entering(plain, args, options)
        if is_feature_map(first):
            entered, shape = self._event(first), first.shape
            self.taken.append(entered)
        pooled = self._pooled(plain, args, options)
        result = func(*args, **options)
        self.positions.leaving(func, plain, args, options, result)
        self._after(entered, first, result)
        if plain in VIEWS and isinstance(first, Tensor) and isinstance(result, Tensor):
            self._behind[id(result)] = ref(result), ref(first)
        if pooled is not None:
            self.collapse, self.outlived = pooled, False
        elif entered is not None and (
            collapses(shape, result) or (self._was_made(entered) and covers(plain, shape, args, options))
        ):
            self.collapse, self.outlived = entered, False
        if is_in_place(name, options):
            self.in_place[f"{name} call"] = None
        if name in FINAL_ACTIVATIONS:
            self.activated = (result, name)
        return result

    def _event(self, tensor: Tensor, name: str | None = None) -> Event:
        return Event(name, tensor, len(self.taken), version_of(tensor))

    def _entering(self, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> None:
        """Rows and columns are what a network pools over, where nothing else is known."""
        first: Any = args[0] if args else None
        self.positions.entering(name, first)
        is_unknown = isinstance(first, Tensor) and first.dim() == 4 and self.positions.of(first) is None
        if is_unknown and reduced(name, args, options, 4) == {2, 3}:
            self.positions.note_map(first)

    def _after(self, entered: Event | None, first: object, result: object) -> None:
        """A call has made something of its first argument."""
        if not isinstance(result, Tensor | tuple | list) or isinstance(result, torch.Size):
            return
        if entered is not None:
            self.worked_on.append(entered)
        elif self.collapse is not None and isinstance(first, Tensor) and self.collapse.tensor not in self._chain(first):
            self.outlived |= self.arrangement(first) is not None

    def _pooled(self, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> Event | None:
        """The map of which a call pools tokens, or rows and columns that come before channels: as a module put it out,
        or as a feature map that it is another view of.
        """
        first: Any = args[0] if args else None
        positions = self.positions.of(first) if isinstance(first, Tensor) else None
        if positions is None or first.dim() not in {3, 4}:
            return None
        axes = reduced(name, args, options, first.dim())
        turned = positions.mT if axes == {2} and first.dim() == 3 else positions
        found = arrangement_of(turned, self.images) if axes else None
        if found is None or found.layout is Layout.NCHW or (first.dim() == 4 and axes != {1, 2}):
            return None
        for tensor in self._chain(first):
            there = self.arrangement(tensor)
            events = self.taken if there is not None and there.layout is Layout.NCHW else self.made
            for event in reversed(events) if there is not None else ():
                if event.tensor is tensor:
                    return event
        return None

    def _chain(self, tensor: Tensor) -> "_Chain":
        """A tensor, and those that it is a view of, nearest first."""
        chain = _Chain([tensor])
        while True:
            view, base = self._behind.get(id(chain[-1]), (lambda: None, lambda: None))
            found = base() if view() is chain[-1] else None
            if found is None or found in chain:
                return chain
            chain.append(found)

    def _was_made(self, entered: Event) -> bool:
        """The first that is taken are the images, of which a convolution makes the first feature map."""
        return entered.tensor is not self.taken[0].tensor


class _Chain(list[Tensor]):
    """Tensors, told apart by being them."""

    def __contains__(self, tensor: object) -> bool:
        return any(one is tensor for one in self)


def tensor_put_out(output: object) -> Tensor | None:
    """What a module put out: a tensor, or the first of several, as of blocks of transformers; else None."""
    first = output[0] if type(output) in {tuple, list} and output else output  # type: ignore[index]
    return first if isinstance(first, Tensor) else None


def _modes() -> int:
    """How many function modes are on."""
    return len(_get_current_function_mode_stack())


def version_of(tensor: Tensor) -> int:
    """What is asked of a tensor here is no call of the model's."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        return tensor._version  # noqa: SLF001


def _row_of_map(tensor: Tensor, images: int) -> Row | None:
    """None where it holds no feature map of that many images. What is asked of it here is no call of the model's."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        may_be = tensor.dim() in {3, 4} and tensor.is_floating_point() and tensor.numel() > 0
        return row_of(tensor) if may_be and len(tensor) == images else None


def row_of(tensor: Tensor) -> Row:
    first = tensor.detach()[0].double()
    return float(first.sum()), float(first.abs().sum()), float(first.square().sum())
