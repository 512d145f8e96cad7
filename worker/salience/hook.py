"""A way into a forward pass at the target layer: what arrives there can be seen and replaced, the model is not changed.

Where the target is still what a module put out, a plain hook on that module finds it. Where it was written to since
(DenseNet's last ReLU, in place), the call that it enters is intercepted; from that module on every call is watched.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from functools import partial
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from app.domain.models.input_size import InputSize, Size, size_of
from app.domain.models.outputs import CLASSES, Output
from worker.salience.calls import FINAL_ACTIVATIONS, is_feature_map
from worker.salience.decisions import Decisions
from worker.salience.input_channels import input_channels
from worker.salience.layouts import Arrangement
from worker.salience.target_layer import layer_not_found, resolve_layer
from worker.salience.traced_layers import Layer
from worker.salience.tracing import Place, Trace, evaluating, trace
from worker.salience.watching import Row, tensor_put_out

Change = Callable[[Tensor], Tensor]


class TargetHook:
    """A model and the place in it where salience is taken.

    ``target_layer`` None (or the name that tracing resolved) means the layer of the network's family, else the tensor
    that enters the last global pooling or flattening; another name means that module's output. ``traced`` is what an
    earlier pass told of the model; without it a blank image is passed.

    Raises InputFailure ``target-layer-not-found``.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        input_size: InputSize,
        target_layer: str | None = None,
        output: Output = CLASSES,
        traced: Trace | None = None,
    ) -> None:
        first = next(module.parameters())
        probe = torch.zeros(2, input_channels(module), *size_of(input_size), device=first.device, dtype=first.dtype)
        # As audits lay their images out: another layout would need kernels of its own.
        self._blank = probe.to(memory_format=torch.channels_last)
        self.module = module
        self.decisions = Decisions(output)
        self._parts = tuple(module.modules())
        self._trace = traced or trace(module, self._blank)
        self._take(resolve_layer(module, self._trace, target_layer))

    def _take(self, layer: Layer) -> None:
        is_collapse = layer == self._trace.collapse_layer
        self.layer = layer
        self.stride = self._trace.stride(layer, Size(*self._blank.shape[2:]))
        self._place = self._trace.collapse if is_collapse and self._trace.collapse else Place(layer.name)

    def at(self, layer: Layer) -> Self:
        """The same model at another of its layers, without another pass."""
        other = copy(self)
        other._take(layer)  # noqa: SLF001
        return other

    def row(self, layer: Layer) -> Row:
        """Numbers that tell what one of the model's layers puts out of the first image that was traced."""
        return self._trace.rows[layer.name]

    def trial_images(self) -> Tensor:
        """Two of noise, the same every time, by which a method sees whether the network is one for it."""
        noise = torch.randn(self._blank.shape, generator=torch.Generator().manual_seed(0))
        return noise.to(self._blank).to(memory_format=torch.channels_last)

    def run(self, images: Tensor, change: Change) -> Tensor:
        """Logits by class (N, C), from the outputs before a final softmax or sigmoid.

        ``change`` gets the target as a feature map (N, K, h, w), however it lies in the layer's output, and returns
        what goes on in its stead.

        Raises InputFailure ``target-layer-not-found`` where the pass does not come by.
        """
        watch = _Watch(self._place.calls, partial(_changed, self.layer.arrangement, change))
        with evaluating(self._parts), self._hooked(watch):
            output = self.module(images)
        if not watch.reached:
            raise layer_not_found(f"{self.layer.name} was not reached.", self._trace)
        return self.decisions.of(watch.logits_behind(output))

    @contextmanager
    def _hooked(self, watch: "_Watch") -> Iterator[None]:
        """A hook on the module that the target's place is counted from; removed whatever happens.

        To watch every call costs a small network a tenth of its speed, DenseNet a thirtieth.
        """
        with ExitStack() as stack:
            if self._place.module is None or self._trace.own_modes:
                # A mode that began within one of the model's would be ended in its stead.
                watch.begin(stack)
            if self._place.module is not None:
                module = self.module.get_submodule(self._place.module)
                stack.enter_context(module.register_forward_hook(partial(self._left, watch, stack)))
            yield

    def _left(self, watch: "_Watch", stack: ExitStack, _module: nn.Module, _inputs: Any, output: Any) -> Any:
        """The hook: the pass leaves the module."""
        changed = output
        if self._place.calls is None and (arriving := tensor_put_out(output)) is not None:
            given = watch.at_target(arriving)
            changed = given if output is arriving else type(output)([given, *output[1:]])
        if self._place.calls is not None or self._trace.final_activation:
            watch.begin(stack)
        return changed


def _changed(arrangement: Arrangement, change: Change, arriving: Tensor) -> Tensor:
    """A layer's output with its feature map changed."""
    return arrangement.from_nchw(change(arrangement.to_nchw(arriving)), arriving)


class _Watch(TorchFunctionMode):
    """Hands the target to ``change``, in the n-th call on a feature map or where a hook brings it.

    Calls that take the target after the n-th get what that got: more than one pooling may.
    """

    def __init__(self, call: int | None, change: Change) -> None:
        super().__init__()
        self.reached = False
        self._change = change
        self._call = call
        self._calls = 0
        self._activated: tuple[object, Tensor] | None = None
        self._taken: Tensor | None = None
        self._given: Tensor | None = None
        self._begun = False

    def begin(self, stack: ExitStack) -> None:
        """Once, however often the module is called; until the stack is closed."""
        if not self._begun:
            self._begun = True
            stack.enter_context(self)

    def at_target(self, tensor: Tensor) -> Tensor:
        self.reached = True
        return self._change(tensor)

    def logits_behind(self, output: Any) -> Tensor:
        """The model's output, or what entered the softmax or sigmoid that made it."""
        if self._activated is not None and output is self._activated[0]:
            return self._activated[1]
        logits: Tensor = output
        return logits

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if args and is_feature_map(args[0]):
            if self._calls == self._call:
                self._taken, self._given = args[0], self.at_target(args[0])
            if args[0] is self._taken:
                args = (self._given, *args[1:])
            self._calls += 1
        result = func(*args, **(kwargs or {}))
        if args and getattr(func, "__name__", "") in FINAL_ACTIVATIONS:
            self._activated = (result, args[0])
        return result
