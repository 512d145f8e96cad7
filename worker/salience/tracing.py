"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack

SOFTMAXES = frozenset({"softmax", "log_softmax"})
FINAL_ACTIVATIONS = SOFTMAXES | {"sigmoid", "logsigmoid"}
"""Scores and gradients are taken before these, where one of them makes the network's output."""


class Event(NamedTuple):
    """A tensor leaves a module (``name``) or enters a call on a feature map (None), the ``calls``-th in the pass.

    ``version`` counts the writes to it so far, through views of it too.
    """

    name: str | None
    tensor: Tensor
    calls: int
    version: int


@dataclass(frozen=True)
class Layer:
    """A module whose output is a feature map (N, channels, height, width) with more than one cell."""

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
    no spatial extent; None where there is none. ``collapse_layer`` describes it, named after the outermost module that
    made it. It is no module's output any more where it was written to since (DenseNet's last ReLU, in place).
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

    @property
    def final_softmax(self) -> bool:
        return self.final_activation in SOFTMAXES


def trace(module: nn.Module, images: Tensor) -> Trace:
    """Run ``module``, in eval mode, on (N, 3, S, S) float images and watch every call that torch sees."""
    watch = _Watch()
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

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Event] = []
        self.taken: list[Event] = []
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
        self.made.append(Event(name, tensor, len(self.taken), _version(tensor)))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        entered, shape = None, torch.Size()
        if args and is_feature_map(args[0]):
            entered, shape = Event(None, args[0], len(self.taken), _version(args[0])), args[0].shape
            self.taken.append(entered)
        result = func(*args, **(kwargs or {}))
        if entered is not None and _collapses(shape, result):
            self.collapse = entered
        name = getattr(func, "__name__", "")
        if _is_in_place(name, kwargs or {}):
            self.in_place[f"{name} call"] = None
        if name in FINAL_ACTIVATIONS:
            self.activated = (result, name)
        return result


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


def _read(module: nn.Module, output: Any, watch: _Watch) -> Trace:
    collapse = watch.collapse
    layers = {
        event.name: Layer(event.name, *event.tensor.shape[1:])
        for event in watch.made
        if event.name and is_feature_map(event.tensor)
    }
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
    )


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
