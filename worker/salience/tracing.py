"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

from worker.salience.layouts import NCHW, Layouts

SOFTMAXES = frozenset({"softmax", "log_softmax"})
FINAL_ACTIVATIONS = SOFTMAXES | {"sigmoid", "logsigmoid"}
"""Scores and gradients are taken before these, where one of them makes the network's output."""


Row = tuple[float, float, float]
"""Sum, sum of absolute values and sum of squares of one image's part of a tensor."""


class Event(NamedTuple):
    """A tensor leaves a module (``name``) or enters a call on a feature map (None), the ``calls``-th in the pass.

    ``version`` counts the writes to it so far, through views of it too.
    """

    name: str | None
    tensor: Tensor
    calls: int
    version: int
    row: Row | None = None


@dataclass(frozen=True)
class Layer:
    """A module whose output is a feature map (N, channels, height, width) with more than one cell.

    That the axes are these is known from the operations that made it or take it (``Layouts``), never from its shape.
    """

    name: str
    channels: int
    height: int
    width: int


class Place(NamedTuple):
    """Where in a pass a tensor is to be found: it is what a module put out, ``calls`` None, or the first argument of
    the call that comes so many calls on feature maps after it. ``module`` None counts from the beginning.
    """

    module: str | None
    calls: int | None = None


@dataclass(frozen=True)
class Trace:
    """What one forward pass showed.

    ``collapse`` is the place of the salience target, which enters the last call that takes a feature map and leaves it
    no spatial extent; None where there is none, or where more feature maps come after it: that was a gate's pooling.
    ``collapse_layer`` describes it, named after the outermost module that made it. It is no module's output any more
    where it was written to since (DenseNet's last ReLU, in place).
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
        self.layouts = Layouts()
        self.made: list[Event] = []
        self.taken: list[Event] = []
        self.worked_on: list[Event] = []
        """Those of ``taken`` of which the call made a tensor: not those that were asked for their shape."""
        self.collapse: Event | None = None
        self.in_place: dict[str, None] = {}
        self.activated: tuple[object, str] | None = None
        self.own_modes = False
        self._depth = 0

    def __enter__(self) -> Self:
        super().__enter__()  # type: ignore[no-untyped-call]
        self._depth = _modes()
        return self

    def note_output(self, name: str, tensor: Tensor) -> None:
        self.own_modes |= _modes() > self._depth
        row = _row_of_map(tensor, self.images)
        self.made.append(Event(name, tensor, len(self.taken), _version(tensor), row))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        entered, shape = None, torch.Size()
        name, options = getattr(func, "__name__", ""), kwargs or {}
        plain = name.strip("_")
        self.layouts.entering(plain, args, options)
        if args and is_feature_map(args[0]):
            entered, shape = Event(None, args[0], len(self.taken), _version(args[0])), args[0].shape
            self.taken.append(entered)
        pooled = self.layouts.pooled_map(plain, args, options)
        result = func(*args, **options)
        self.layouts.leaving(plain, args, options, result)
        if entered is not None and isinstance(result, Tensor | tuple | list) and not isinstance(result, torch.Size):
            self.worked_on.append(entered)
        if pooled is not None:
            self.collapse = next(event for event in reversed(self.taken) if event.tensor is pooled)
        elif entered is not None and (
            _collapses(shape, result) or (self._was_made(entered) and _covers(plain, shape, args, options))
        ):
            self.collapse = entered
        if _is_in_place(name, options):
            self.in_place[f"{name} call"] = None
        if name in FINAL_ACTIVATIONS:
            self.activated = (result, name)
        return result

    def _was_made(self, entered: Event) -> bool:
        """The first that is taken are the images, of which a convolution makes the first feature map."""
        return entered.tensor is not self.taken[0].tensor


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
    """None where it is no feature map of that many images. What is asked of it here is no call of the model's."""
    with torch._C.DisableTorchFunction():  # noqa: SLF001
        return _row(tensor) if is_feature_map(tensor) and len(tensor) == images else None


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
    collapse = None if watch.collapse is None or not _is_last(watch.collapse, watch) else watch.collapse
    maps = [event for event in watch.made if event.row is not None and watch.layouts.of(event.tensor) == NCHW]
    layers = {event.name: Layer(event.name, *event.tensor.shape[1:]) for event in maps if event.name}
    rows = {event.name or TARGET: event.row for event in maps if event.row is not None}
    if collapse is not None:
        rows[TARGET] = _row(collapse.tensor)
    makers = [] if collapse is None else [event.name for event in watch.made if event.tensor is collapse.tensor]
    modules = [name for name, part in module.named_modules() if getattr(part, "inplace", False)]
    name = (makers[-1] if makers else None) or "(functional)"
    return Trace(
        output=output,
        layers=tuple(layers.values()),
        collapse=None if collapse is None else _place(collapse, watch),
        collapse_layer=None if collapse is None else Layer(name, *collapse.tensor.shape[1:]),
        in_place=(*modules, *watch.in_place),
        final_activation=watch.activated[1] if watch.activated and output is watch.activated[0] else None,
        own_modes=watch.own_modes,
        rows=rows,
    )


def _is_last(collapse: Event, watch: _Watch) -> bool:
    """Whether it is a feature map of every image, and no other feature map is worked on after it."""
    if watch.layouts.of(collapse.tensor) != NCHW or len(collapse.tensor) != watch.images:
        return False
    later = (event.tensor for event in watch.worked_on if event.calls > collapse.calls)
    return all(tensor is collapse.tensor or watch.layouts.of(tensor) != NCHW for tensor in later)


def _place(collapse: Event, watch: _Watch) -> Place:
    """From the last module that put the tensor out before it was taken; else, or where that is called again in a pass,
    from the beginning. The first call that takes it as it is at the collapse counts: there may be other poolings.
    """
    first = next(
        event.calls for event in watch.taken if event.tensor is collapse.tensor and event.version == collapse.version
    )
    for event in reversed(watch.made) if not watch.own_modes else ():
        is_maker = event.tensor is collapse.tensor and event.calls <= first
        if is_maker and sum(other.name == event.name for other in watch.made) == 1:
            return Place(event.name, None if event.version == collapse.version else first - event.calls)
    return Place(None, first)
