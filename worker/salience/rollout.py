"""Attention roll-out: how much of every cell gets into the tokens that the classes are read from.

Abnar and Zuidema 2020, arXiv 2005.00928: the mean over the heads of each block's attention, half of it and half of the
identity for the residual, multiplied from the first block to the last. It is the same for every class.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from app.domain.vocabulary import CamMethod, Layout
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook
from worker.salience.one_by_one import unchanged
from worker.salience.refusing import not_possible
from worker.salience.traced_layers import Layer


class AttentionCalls(NamedTuple):
    """Those of one pass: how many, and of how many tokens, where every one is from all tokens of an image to all."""

    calls: int
    tokens: int | None

    @classmethod
    def of(cls, hook: TargetHook) -> "AttentionCalls":
        images = hook.trial_images()
        shapes: list[tuple[int, int, int]] = []

        def note(call: "_Call") -> Tensor:
            shapes.append(call.shape)
            return call.output

        with torch.no_grad(), _Attention(note):
            hook.run(images, unchanged)
        alike = set(shapes)
        batch, queries, keys = alike.pop() if len(alike) == 1 else (0, 0, 0)
        return cls(len(shapes), queries if (batch, queries) == (len(images), keys) else None)

    def are_of(self, layer: Layer) -> bool:
        """Whether they are of the very tokens that the layer's grid is part of."""
        tokens = layer.prefix_tokens + layer.height * layer.width
        return layer.layout is Layout.TOKENS and self.tokens == tokens


class RolloutExplainer:
    """Raises InputFailure ``cam-method-not-possible`` where a network is no transformer of that kind."""

    def __init__(self, hook: TargetHook) -> None:
        self.decisions = hook.decisions
        self.stride = hook.stride
        self._hook = hook
        attention = AttentionCalls.of(hook)
        if not attention.are_of(hook.layer):
            raise not_possible(CamMethod.ATTENTION_ROLLOUT)
        self._read = self._tokens_read(hook.trial_images(), attention.calls)

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        del target, draws
        rolled: list[Tensor] = []

        def roll(call: _Call) -> Tensor:
            attention = call.weights()
            halved = (attention + torch.eye(attention.shape[1], device=attention.device)) / 2
            rolled[:] = [halved @ rolled[0] if rolled else halved]
            return call.output

        with torch.no_grad(), _Attention(roll):
            logits = self._hook.run(images, unchanged)
        grid = self._hook.layer.arrangement
        cells = rolled[0][:, self._read].mean(1)[:, grid.prefix_tokens :]
        return Explanation(logits, logits.argmax(1), cells.view(-1, grid.height, grid.width))

    def logits(self, images: Tensor) -> Tensor:
        """With attention made visible, which is computed by another kernel than hidden attention."""
        with torch.no_grad(), _Attention(lambda call: call.output):
            return self._hook.run(images, unchanged)

    def _tokens_read(self, images: Tensor, count: int) -> Tensor:
        """(T,) bool: the tokens of the last of ``count`` attentions that logits depend on, such as the class token.

        The graph begins there: of a large network, all of it would not fit.
        """
        outputs: list[Tensor] = []

        def cut(call: _Call) -> Tensor:
            outputs.append(call.output)
            if len(outputs) < count:
                return call.output
            outputs[-1] = call.output.detach().requires_grad_()
            torch.set_grad_enabled(True)
            return outputs[-1].clone()

        with torch.no_grad(), _Attention(cut):
            logits = self._hook.run(images, unchanged)
            gradient = torch.autograd.grad(logits.sum(), outputs[-1])[0]
        return gradient.abs().transpose(0, -2).flatten(1).sum(1) > 0


class _Call(NamedTuple):
    """``weights`` makes the attention (N, T, T), the mean over its heads; ``output`` (N, ..., T, d); ``shape`` is how
    many images, queries and keys.
    """

    weights: Callable[[], Tensor]
    output: Tensor
    shape: tuple[int, int, int]


class _Attention(TorchFunctionMode):
    """Shows every call of torch's attention to ``change``, which says what goes on as its output."""

    def __init__(self, change: Callable[[_Call], Tensor]) -> None:
        super().__init__()
        self._change = change

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options, name = kwargs or {}, getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            output, attention = func(*args, **options | {"need_weights": True, "average_attn_weights": True})
            images, queries, keys = attention.shape
            call = _Call(attention.detach, output.transpose(0, 1), (images, queries, keys))
            return self._change(call).transpose(0, 1), None
        result = func(*args, **options)
        if name == "scaled_dot_product_attention" and len(args) >= 2 and not options.get("is_causal"):
            mask = options.get("attn_mask", args[3] if len(args) > 3 else None)
            weights = partial(_weights, args[0], args[1], mask, options.get("scale"))
            return self._change(_Call(weights, result, (len(result), args[0].shape[-2], args[1].shape[-2])))
        return result


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """Of torch's scaled_dot_product_attention, by its documented definition, for (N, heads, T, d): (N, T, T)."""
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype is torch.bool else scores + mask
    return scores.detach().softmax(-1).mean(1)
