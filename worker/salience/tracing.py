"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SOFTMAXES = frozenset({"softmax", "log_softmax"})


class Event(NamedTuple):
    """A module put out a tensor, or (``name`` None) something wrote to it; so many calls on feature maps had been."""

    name: str | None
    tensor: Tensor
    calls: int


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
    """

    output: Any
    layers: tuple[Layer, ...]
    collapse: Place | None
    collapse_layer: Layer | None
    in_place: tuple[str, ...]
    final_softmax: bool


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
        # Nothing is asked of the tensor here: the watch would count it as a call of the model's.
        if isinstance(output, Tensor):
            watch.note(name, output)

    return hook


@dataclass
class _Collapse:
    call: int
    entered: Tensor


class _Watch(TorchFunctionMode):
    """Notes the calls of a forward pass; inside the handler the mode itself is off."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Event] = []
        self.collapse: _Collapse | None = None
        self.in_place: dict[str, None] = {}
        self.softmax_result: object = None
        self._calls = 0

    def note(self, name: str | None, tensor: Tensor) -> None:
        self.made.append(Event(name, tensor, self._calls))

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        entered = args[0] if args and is_feature_map(args[0]) else None
        shape = None if entered is None else entered.shape
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if entered is not None and shape is not None:
            if _collapses(shape, result):
                self.collapse = _Collapse(self._calls, entered)
            self._calls += 1
        if _is_in_place(name, kwargs or {}):
            self.in_place[f"{name} call"] = None
            self.note(None, result)
        if name in SOFTMAXES:
            self.softmax_result = result
        return result


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
    made, collapse = watch.made, watch.collapse
    layers = {name: Layer(name, *tensor.shape[1:]) for name, tensor, _ in made if name and is_feature_map(tensor)}
    history = [] if collapse is None else [event for event in made if event.tensor is collapse.entered]
    makers = [event for event in history if event.name is not None]
    modules = [name for name, part in module.named_modules() if getattr(part, "inplace", False)]
    name = makers[-1].name if makers else None
    return Trace(
        output=output,
        layers=tuple(layers.values()),
        collapse=None if collapse is None else _place(collapse.call, history, made),
        collapse_layer=None if collapse is None else Layer(name or "(functional)", *collapse.entered.shape[1:]),
        in_place=(*modules, *watch.in_place),
        final_softmax=watch.softmax_result is not None and output is watch.softmax_result,
    )


def _place(call: int, history: list[Event], made: list[Event]) -> Place:
    """Of the target of this call, from the last module that had it, where it is called once in a pass."""
    for event in reversed(history):
        if event.name is not None and sum(other.name == event.name for other in made) == 1:
            return Place(event.name, None if event is history[-1] else call - event.calls)
    return Place(None, call)
