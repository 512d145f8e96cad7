"""Activation and gradient of one tensor at the price of a forward pass: the graph is cut at the target layer.

Everything before the target runs without gradients; the target becomes the only leaf, and a clone of it is handed on,
since an in-place ReLU on the leaf is an error and on an alias of it changes what was captured.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from app.errors import InputFailure
from worker.salience.tracing import SOFTMAXES, Layer, Trace, evaluating, is_feature_map, trace


@dataclass(frozen=True)
class Extraction:
    """Of N images: ``logits`` (N, C) before a final softmax, ``predicted`` (N,) int64, and the target's pair.

    ``activation`` and ``gradient`` (N, K, h, w) float32 are of the same tensor; the gradient is of the chosen logit.
    """

    logits: Tensor
    predicted: Tensor
    activation: Tensor
    gradient: Tensor


class SalienceExtractor:
    """A model with a tap at its target layer; the model itself is never changed.

    ``target_layer`` None (or the name that tracing resolved) taps the tensor that enters the last global pooling or
    flattening; another name taps that module's output. Raises InputFailure ``target-layer-not-found``.
    """

    def __init__(self, module: nn.Module, *, input_size: int, target_layer: str | None = None) -> None:
        first = next(module.parameters())
        probe = torch.zeros(2, 3, input_size, input_size, device=first.device, dtype=first.dtype)
        self._module = module
        self._trace = trace(module, probe)
        self.layer = resolve_layer(self._trace, target_layer)
        in_call = self.layer == self._trace.collapse_layer and not self._trace.collapse_is_output
        self._call = self._trace.collapse_call if in_call else None

    def extract(self, images: Tensor, target: Tensor | None = None) -> Extraction:
        """``images`` (N, 3, S, S) normalised float; ``target`` (N,) int64 classes, None: the class predicted."""
        cut = _Cut(self._call)
        # To watch every call costs a small network a tenth of its speed.
        watched = cut if cut.cuts_in_call or self._trace.final_softmax else nullcontext()
        with evaluating(self._module), _hooked(self._module, self.layer.name, cut), torch.no_grad(), watched:
            output = self._module(images)
            logits = cut.logits_behind(output)
            predicted = logits.detach().argmax(1)
            chosen = predicted if target is None else target
            if cut.leaf is None:
                raise _not_found(f"{self.layer.name} was not reached.", self._trace)
            gradient = torch.autograd.grad(logits.gather(1, chosen.view(-1, 1)).sum(), cut.leaf)[0]
        return Extraction(logits.detach(), predicted, cut.leaf.detach(), gradient)


def resolve_layer(traced: Trace, wanted: str | None) -> Layer:
    """The layer that a name means. Raises InputFailure ``target-layer-not-found`` with the candidates."""
    if traced.collapse_layer is not None and wanted in {None, traced.collapse_layer.name}:
        return traced.collapse_layer
    if wanted is None:
        raise _not_found("The model has no feature map that enters global pooling or flattening.", traced)
    for layer in traced.layers:
        if layer.name == wanted:
            return layer
    raise _not_found(f"The model has no layer {wanted[:200]!r} with a feature map.", traced)


def _not_found(what: str, traced: Trace) -> InputFailure:
    names = ", ".join(layer.name for layer in traced.layers[-12:]) or "none"
    return InputFailure("target-layer-not-found", f"{what} Candidates (the last ones): {names}.")


class _Cut(TorchFunctionMode):
    """Cuts the graph, either in the n-th call on a feature map or where a module hook asks for it."""

    def __init__(self, call: int | None) -> None:
        super().__init__()
        self.leaf: Tensor | None = None
        self.cuts_in_call = call is not None
        self._call = call
        self._calls = 0
        self._softmax: tuple[object, Tensor] | None = None

    def cut(self, tensor: Tensor) -> Tensor:
        """Everything after this is differentiated with respect to the leaf alone, which nothing later can write to."""
        self.leaf = tensor.detach().clone().requires_grad_()
        torch.set_grad_enabled(True)
        return self.leaf.clone()

    def logits_behind(self, output: Any) -> Tensor:
        """The model's output, or what entered the softmax that made it."""
        if self._softmax is not None and output is self._softmax[0]:
            return self._softmax[1]
        logits: Tensor = output
        return logits

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if args and is_feature_map(args[0]):
            if self._calls == self._call:
                args = (self.cut(args[0]), *args[1:])
            self._calls += 1
        result = func(*args, **(kwargs or {}))
        if args and getattr(func, "__name__", "") in SOFTMAXES:
            self._softmax = (result, args[0])
        return result


@contextmanager
def _hooked(module: nn.Module, name: str, cut: _Cut) -> Iterator[None]:
    """A hook on the named module, unless the cut is made in a call; removed whatever happens."""
    if cut.cuts_in_call:
        yield
        return

    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        return cut.cut(output)

    handle = module.get_submodule(name).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
