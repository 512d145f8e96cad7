"""Attention roll-out: how much of every cell gets into the tokens that the classes are read from.

Abnar and Zuidema 2020, arXiv 2005.00928: the mean over the heads of each block's attention, half of it and half of the
identity for the residual, multiplied from the first block to the last. It is the same for every class.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from app.domain.refusals import METHOD_NEEDS
from app.domain.vocabulary import CamMethod, Layout
from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook
from worker.salience.one_by_one import unchanged

_WHY = (
    "it does not attend over all tokens of its grid in every block, by torch's own attention, as ViT, DeiT and BEiT do"
)


class RolloutExplainer:
    """Raises InputFailure ``cam-method-not-possible`` where a network is no transformer of that kind."""

    image_by_image = False

    def __init__(self, hook: TargetHook) -> None:
        self.decisions = hook.decisions
        self.stride = hook.stride
        self._hook = hook
        self._read = self._tokens_read(hook.trial_images())

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        del target, draws
        rolled: list[Tensor] = []

        def roll(attention: Tensor, _output: Tensor) -> None:
            halved = (attention + torch.eye(attention.shape[1], device=attention.device)) / 2
            rolled[:] = [halved @ rolled[0] if rolled else halved]

        with torch.no_grad(), _Attention(roll):
            logits = self._hook.run(images, unchanged)
        grid = self._hook.layer.arrangement
        cells = rolled[0][:, self._read].mean(1)[:, grid.prefix_tokens :]
        return Explanation(logits, logits.argmax(1), cells.view(-1, grid.height, grid.width))

    def _tokens_read(self, images: Tensor) -> Tensor:
        """(T,) bool: the tokens of the last block's attention that logits depend on, such as the class token."""
        seen: list[tuple[Tensor, Tensor]] = []
        with torch.enable_grad(), _Attention(lambda *found: seen.append(found)):
            logits = self._hook.run(images.requires_grad_(), unchanged)
        grid = self._hook.layer.arrangement
        tokens = grid.prefix_tokens + grid.height * grid.width
        shapes = {tuple(attention.shape) for attention, _ in seen}
        if grid.layout is not Layout.TOKENS or shapes != {(len(images), tokens, tokens)}:
            raise METHOD_NEEDS.failure(method=CamMethod.ATTENTION_ROLLOUT, why=_WHY, other=CamMethod.GRADCAM)
        gradient = torch.autograd.grad(logits.sum(), seen[-1][1])[0]
        return gradient.abs().transpose(0, -2).flatten(1).sum(1) > 0


class _Attention(TorchFunctionMode):
    """Hands on every call's attention (N, T, T), the mean over its heads, and what it puts out (N, ..., T, d)."""

    def __init__(self, hand_on: Callable[[Tensor, Tensor], None]) -> None:
        super().__init__()
        self._hand_on = hand_on

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options, name = kwargs or {}, getattr(func, "__name__", "")
        if name == "multi_head_attention_forward":
            output, attention = func(*args, **options | {"need_weights": True, "average_attn_weights": True})
            turned = output.transpose(0, 1)
            self._hand_on(attention.detach(), turned)
            return turned.transpose(0, 1), None
        result = func(*args, **options)
        if name == "scaled_dot_product_attention" and len(args) >= 2 and not options.get("is_causal"):
            mask = options.get("attn_mask", args[3] if len(args) > 3 else None)
            self._hand_on(_weights(args[0], args[1], mask, options.get("scale")), result)
        return result


def _weights(query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """Of torch's scaled_dot_product_attention, by its documented definition, for (N, heads, T, d): (N, T, T)."""
    scores = query @ key.mT * (1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype is torch.bool else scores + mask
    return scores.detach().softmax(-1).mean(1)
