"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Self
from weakref import ref

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from app.domain.vocabulary import Layout
from worker.salience.families import default_layer, family_of
from worker.salience.layouts import Arrangement, arrangement_of
from worker.salience.positions import Positions

SOFTMAXES = frozenset({"softmax", "log_softmax"})
_REDUCTIONS = frozenset({"mean", "sum", "amax", "max", "amin", "std", "var", "logsumexp"})
_POOLS_OF_ROWS = frozenset({"adaptive_avg_pool1d", "adaptive_max_pool1d"})
_VIEWS = frozenset({"view", "reshape", "flatten", "unflatten", "permute", "transpose", "contiguous", "getitem"})
FINAL_ACTIVATIONS = SOFTMAXES | {"sigmoid", "logsigmoid"}
"""Scores and gradients are taken before these, where one of them makes the network's output."""


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


@dataclass(frozen=True)
class Layer:
    """A module whose output holds a feature map of more than one cell.

    How it lies there is known from the operations that made it or take it (``Positions``), never from its shape.
    """

    name: str
    channels: int
    height: int
    width: int
    layout: Layout = Layout.NCHW
    prefix_tokens: int = 0

    @classmethod
    def of(cls, name: str, tensor: Tensor, found: Arrangement) -> Self:
        channels = tensor.shape[1 if found.layout is Layout.NCHW else -1]
        return cls(name, channels, found.height, found.width, found.layout, found.prefix_tokens)

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def arrangement(self) -> Arrangement:
        return Arrangement(self.layout, self.height, self.width, self.prefix_tokens)


class Place(NamedTuple):
    """Where in a pass a tensor is to be found: it is what a module put out, ``calls`` None, or the first argument of
    the call that comes so many calls on feature maps after it. ``module`` None counts from the beginning.
    """

    module: str | None
    calls: int | None = None


@dataclass(frozen=True)
class Trace:
    """What one forward pass showed.

    ``collapse`` is the place of the tensor that enters the last call that takes a feature map and leaves it no spatial
    extent; None where there is none, or where more feature maps come after it: that was a gate's pooling.
    ``collapse_layer`` describes it, named after the outermost module that made it. It is no module's output any more
    where it was written to since (DenseNet's last ReLU, in place).
    ``family_layer`` is the name of the default layer where a table of families has one, instead of the collapse, and
    ``family_layouts`` how it may lie there.
    ``rows`` are numbers that tell the first image's part of each layer, and of the target under ``TARGET``.
    ``final_activation`` is the name of the softmax or sigmoid that made the output, if one did.
    ``own_modes`` says that a module was left while a function mode of the model's own was on.
    """

    output: Any
    layers: tuple[Layer, ...]
    collapse: Place | None
    collapse_layer: Layer | None
    in_place: tuple[str, ...]
    final_activation: str | None
    own_modes: bool
    family_layer: str | None = None
    family_layouts: frozenset[Layout] = frozenset()
    rows: Mapping[str, Row] = field(default_factory=dict, repr=False, compare=False)

    @property
    def final_softmax(self) -> bool:
        return self.final_activation in SOFTMAXES

    def stride(self, layer: Layer, input_size: int) -> tuple[int, int]:
        """Pixels (down, right) by which an image must move for this layer's map to move by one cell.

        The product of all down-sampling on the way, each step rounded to the whole number that it is: a layer without
        padding loses a cell or two beside it (Inception's 299 pixels become 8 cells of 32). Where the sizes on the way
        do not tell, the image is shared out among the cells.
        """
        return (
            _down_sampling([one.height for one in self.layers], layer.height, input_size),
            _down_sampling([one.width for one in self.layers], layer.width, input_size),
        )


TARGET = ""
"""The name of the target in ``Trace.rows``: no module's."""


def trace(module: nn.Module, images: Tensor) -> Trace:
    """Run ``module``, in eval mode, on (N, 3, S, S) float images and watch every call that torch sees."""
    watch = _Watch(len(images))
    handles = [part.register_forward_hook(_remember(name, watch)) for name, part in module.named_modules() if name]
    try:
        with evaluating(tuple(module.modules())), torch.no_grad(), watch:
            output = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return _read(module, output, watch)


@contextmanager
def evaluating(parts: Sequence[nn.Module]) -> Iterator[None]:
    """Eval mode for the block, of a module and all its parts, itself first; each gets its mode back, whatever happens.

    To go through the tree of two hundred takes half a millisecond, so that who passes often keeps the list.
    """
    training = [part for part in parts if part.training]
    if training:
        parts[0].eval()
    try:
        yield
    finally:
        for part in training:
            part.training = True


def is_feature_map(value: object) -> bool:
    """(N, C, H, W) floating point with H * W > 1."""
    return isinstance(value, Tensor) and value.dim() == 4 and value.is_floating_point() and value[0, 0].numel() > 1


def _remember(name: str, watch: "_Watch") -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor):
            watch.note_output(name, output)

    return hook


class _Watch(TorchFunctionMode):
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
        if plain in _VIEWS and isinstance(first, Tensor) and isinstance(result, Tensor):
            self._behind[id(result)] = ref(result), ref(first)
        if pooled is not None:
            self.collapse, self.outlived = pooled, False
        elif entered is not None and (
            _collapses(shape, result) or (self._was_made(entered) and _covers(plain, shape, args, options))
        ):
            self.collapse, self.outlived = entered, False
        if _is_in_place(name, options):
            self.in_place[f"{name} call"] = None
        if name in FINAL_ACTIVATIONS:
            self.activated = (result, name)
        return result

    def _event(self, tensor: Tensor, name: str | None = None) -> Event:
        return Event(name, tensor, len(self.taken), _version(tensor))

    def _entering(self, name: str, args: Sequence[Any], options: Mapping[str, Any]) -> None:
        """Rows and columns are what a network pools over, where nothing else is known."""
        first: Any = args[0] if args else None
        self.positions.entering(name, first)
        is_unknown = isinstance(first, Tensor) and first.dim() == 4 and self.positions.of(first) is None
        if is_unknown and _reduced(name, args, options, 4) == {2, 3}:
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
        axes = _reduced(name, args, options, first.dim())
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


def _modes() -> int:
    """How many function modes are on."""
    return len(_get_current_function_mode_stack())


def _version(tensor: Tensor) -> int:
    """What is asked of a tensor here is no call of the model's."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        return tensor._version  # noqa: SLF001


def _is_in_place(name: str, options: dict[str, Any]) -> bool:
    """``relu_``, ``relu(inplace=True)`` and ``+=``, which torch calls ``add_``."""
    return (name.endswith("_") and not name.endswith("__")) or options.get("inplace") is True


def _collapses(shape: torch.Size, result: object) -> bool:
    """Global pooling keeps the channels, flattening keeps every number; neither leaves rows and columns."""
    if not isinstance(result, Tensor) or result.dim() < 2 or result.shape[0] != shape[0]:
        return False
    pooled = result.shape[1] == shape[1] and result.numel() == shape[0] * shape[1]
    flattened = result.dim() == 2 and result.numel() == shape.numel()
    return pooled or flattened


def _covers(name: str, shape: torch.Size, args: Sequence[Any], options: Mapping[str, Any]) -> bool:
    """A convolution as large as the map, without padding, is a flattening and a linear layer."""
    if name != "conv2d" or len(args) < 2 or args[1].shape[-2:] != shape[-2:]:
        return False
    padding = args[4] if len(args) > 4 else options.get("padding", 0)
    return padding in {0, (0, 0), "valid"}


def _row_of_map(tensor: Tensor, images: int) -> Row | None:
    """None where it holds no feature map of that many images. What is asked of it here is no call of the model's."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        may_be = tensor.dim() in {3, 4} and tensor.is_floating_point() and tensor.numel() > 0
        return _row(tensor) if may_be and len(tensor) == images else None


def _reduced(name: str, args: Sequence[Any], options: Mapping[str, Any], count: int) -> set[int]:
    """The axes that a call takes away by pooling; none where it names none."""
    if name in _POOLS_OF_ROWS:
        return {count - 1}
    if name not in _REDUCTIONS:
        return set()
    axes = options.get("dim", options.get("axis", args[1] if len(args) > 1 else ()))
    listed = axes if isinstance(axes, list | tuple) else (axes,)
    return {axis % count for axis in listed if isinstance(axis, int)}


def _row(tensor: Tensor) -> Row:
    first = tensor.detach()[0].double()
    return float(first.sum()), float(first.abs().sum()), float(first.square().sum())


def _down_sampling(sizes: list[int], cells: int, input_size: int) -> int:
    """From ``input_size`` pixels to ``cells``, by the ``sizes`` of the feature maps on the way."""
    factor = 1
    way = [input_size, *sorted({size for size in sizes if cells < size < input_size}, reverse=True), cells]
    for larger, smaller in pairwise(way):
        factor *= max(1, round(larger / smaller))
    is_plausible = (cells - 1) * factor < input_size and cells * factor > 0.7 * input_size
    return factor if is_plausible else max(1, input_size // cells)


def _read(module: nn.Module, output: Any, watch: _Watch) -> Trace:
    layers, rows = _layers(watch)
    collapse = None if watch.collapse is None or not _is_last(watch.collapse, watch) else watch.collapse
    place = None if collapse is None else _place(collapse, watch)
    collapse_layer = None
    if collapse is not None and place is not None:
        rows[TARGET] = _row(collapse.tensor)
        makers = [event.name for event in watch.made if event.tensor is collapse.tensor and event.name]
        found = watch.arrangement(collapse.tensor)
        collapse_layer = None if found is None else Layer.of((makers or ["(functional)"])[-1], collapse.tensor, found)
    modules = [name for name, part in module.named_modules() if getattr(part, "inplace", False)]
    family = family_of(module)
    return Trace(
        output=output,
        layers=tuple(layers.values()),
        collapse=place,
        collapse_layer=collapse_layer,
        in_place=(*modules, *watch.in_place),
        final_activation=watch.activated[1] if watch.activated and output is watch.activated[0] else None,
        own_modes=watch.own_modes,
        family_layer=None if family is None else default_layer(module, family),
        family_layouts=family.layouts if family else frozenset(),
        rows=rows,
    )


def _layers(watch: _Watch) -> tuple[dict[str, Layer], dict[str, Row]]:
    """Modules whose output holds a feature map, and its row. Of one that is called again in a pass the last output
    counts; where the outputs lie in other ways, none.
    """
    layers: dict[str, Layer] = {}
    rows: dict[str, Row] = {}
    unlike = set()
    for event in watch.made:
        found, name = watch.arrangement(event.tensor), event.name or ""
        if found is None or event.row is None:
            continue
        layer = Layer.of(name, event.tensor, found)
        if name in layers and Layout.NCHW is not layer.layout and layers[name] != layer:
            unlike.add(name)
        layers[name], rows[name] = layer, event.row
    return {name: layer for name, layer in layers.items() if name not in unlike}, rows


def _is_last(collapse: Event, watch: _Watch) -> bool:
    """Whether it is a feature map of every image, and no other feature map is worked on after it."""
    if watch.outlived or watch.arrangement(collapse.tensor) is None or len(collapse.tensor) != watch.images:
        return False
    later = (event.tensor for event in watch.worked_on if event.calls > collapse.calls)
    return all(tensor is collapse.tensor or watch.arrangement(tensor) is None for tensor in later)


def _place(collapse: Event, watch: _Watch) -> Place | None:
    """From the last module that put the tensor out before it was taken; else, or where that is called again in a pass,
    from the beginning. The first call that takes it as it is at the collapse counts: there may be other poolings.

    A map that is no NCHW is taken where a module puts it out.
    """
    taken = (event for event in watch.taken if event.tensor is collapse.tensor and event.version == collapse.version)
    found = watch.arrangement(collapse.tensor)
    is_nchw = found is not None and found.layout is Layout.NCHW
    first = next(taken).calls if is_nchw else len(watch.taken)
    for event in reversed(watch.made) if not watch.own_modes or not is_nchw else ():
        is_maker = event.tensor is collapse.tensor and event.calls <= first
        if is_maker and sum(other.name == event.name for other in watch.made) == 1:
            if is_nchw:
                return Place(event.name, None if event.version == collapse.version else first - event.calls)
            if event.version == collapse.version == _version(collapse.tensor):
                return Place(event.name)
    return Place(None, first) if is_nchw else None
