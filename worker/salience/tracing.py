"""One watched forward pass: which layers are spatial, which tensor enters the last global pooling, what is in place."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

SOFTMAXES = frozenset({"softmax", "log_softmax"})

# What modules put out, in order, by name; None stands for a write to a tensor in place.
Made = list[tuple[str | None, Tensor]]


@dataclass(frozen=True)
class Layer:
    """A module whose output is a feature map (N, channels, height, width) with more than one cell."""

    name: str
    channels: int
    height: int
    width: int


@dataclass(frozen=True)
class Trace:
    """What one forward pass showed.

    ``collapse_call`` counts the calls whose first argument is a feature map: the last of them that leaves no spatial
    extent takes the salience target as its input; None where there is none. ``collapse_layer`` describes that input,
    named after the outermost module that made it; ``collapse_is_output`` says that it still is what that module, called
    once, put out, so that a plain hook on the module finds it (after DenseNet's last ReLU, in place, it is not).
    """

    output: Any
    layers: tuple[Layer, ...]
    collapse_call: int | None
    collapse_layer: Layer | None
    collapse_is_output: bool
    in_place: tuple[str, ...]
    final_softmax: bool


def trace(module: nn.Module, images: Tensor) -> Trace:
    """Run ``module``, in eval mode, on (N, 3, S, S) float images and watch every call that torch sees."""
    made: Made = []
    watch = _Watch(made)
    handles = [part.register_forward_hook(_remember(name, made)) for name, part in module.named_modules() if name]
    try:
        with evaluating(tuple(module.modules())), torch.no_grad(), watch:
            output = module(images)
    finally:
        for handle in handles:
            handle.remove()
    return _read(module, output, watch, made)


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


def _remember(name: str, made: Made) -> Callable[[nn.Module, Any, Any], None]:
    def hook(_module: nn.Module, _inputs: Any, output: Any) -> None:
        # Nothing is asked of the tensor here: the watch would count it as a call of the model's.
        if isinstance(output, Tensor):
            made.append((name, output))

    return hook


@dataclass
class _Collapse:
    call: int
    entered: Tensor


class _Watch(TorchFunctionMode):
    """Notes the calls of a forward pass; inside the handler the mode itself is off."""

    def __init__(self, made: Made) -> None:
        super().__init__()
        self.made = made
        self.collapse: _Collapse | None = None
        self.in_place: dict[str, None] = {}
        self.softmax_result: object = None
        self._calls = 0

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
            self.made.append((None, result))
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


def _read(module: nn.Module, output: Any, watch: _Watch, made: Made) -> Trace:
    layers = {name: Layer(name, *tensor.shape[1:]) for name, tensor in made if name and is_feature_map(tensor)}
    entered = None if watch.collapse is None else watch.collapse.entered
    history = [name for name, tensor in made if tensor is entered]
    names = [name for name in history if name is not None]
    collapse_layer = None if entered is None else Layer(names[-1] if names else "(functional)", *entered.shape[1:])
    calls = sum(name == history[-1] for name, _ in made) if history else 0
    modules = [name for name, part in module.named_modules() if getattr(part, "inplace", False)]
    return Trace(
        output=output,
        layers=tuple(layers.values()),
        collapse_call=None if watch.collapse is None else watch.collapse.call,
        collapse_layer=collapse_layer,
        collapse_is_output=bool(history) and history[-1] is not None and calls == 1,
        in_place=(*modules, *watch.in_place),
        final_softmax=watch.softmax_result is not None and output is watch.softmax_result,
    )
