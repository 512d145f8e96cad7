"""Peers by a method's formula, at a feature map that a plain hook replaces or sees."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from app.domain.vocabulary import ClassScore
from benchmarks.method_peers.held import SIZE, Held
from worker.salience.decisions import Decisions
from worker.salience.hook import TargetHook


def recipro(held: Held) -> Tensor:
    """Cell by cell: the softmax of the class where a hook leaves that cell alone (of tokens, and the class token)."""
    side = TargetHook(held.module, input_size=SIZE, target_layer=held.layer).layer.height
    scores = [_seen_alone(held, cell) for cell in range(side**2)]
    return torch.stack(scores, 1).view(-1, side, side)


def _seen_alone(held: Held, cell: int) -> Tensor:
    def leave(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        mask = torch.zeros_like(output)
        if held.turn is None:
            mask.flatten(2)[:, :, cell] = 1
        else:
            mask[:, [0, cell + 1]] = 1
        return output * mask

    handle = held.hooked.register_forward_hook(leave)
    with torch.no_grad():
        scores = Decisions().class_scores(held.module(held.images), ClassScore.SOFTMAX)
    handle.remove()
    return scores.gather(1, held.classes.view(-1, 1))[:, 0]


def shapley(held: Held) -> Tensor:
    """Channels weighted by the mean of the gradient less half the Hessian's product with the activation."""
    seen: list[Tensor] = []
    handle = held.hooked.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    with sdpa_kernel(SDPBackend.MATH):
        score = held.module(held.images).gather(1, held.classes.view(-1, 1)).sum()
    handle.remove()
    (gradient,) = torch.autograd.grad(score, seen, create_graph=True)
    activation = seen[0].detach().clone()
    activation[:, : 0 if held.turn is None else 1] = 0
    # Behind a pooling and a linear layer the gradient is a constant.
    (product,) = torch.autograd.grad(gradient, seen, activation, allow_unused=True)
    turn = held.turn or (lambda kept: kept)
    weights, features = turn((gradient - (0 if product is None else product / 2)).detach()), turn(activation)
    return (weights.mean((2, 3), keepdim=True) * features).sum(1).relu()


def ablation(held: Held) -> Tensor:
    """Channel by channel: the share of the logit that goes where a hook makes that channel of the grid zero."""
    whole, features = _without_channel(held, None)
    chosen = held.classes.view(-1, 1)
    total = torch.zeros_like(features[:, 0], dtype=torch.float64)
    for channel in range(features.shape[1]):
        left, _ = _without_channel(held, channel)
        share = (whole - left).gather(1, chosen) / whole.gather(1, chosen)
        total += share.view(-1, 1, 1).double() * features[:, channel].double()
    return total.relu()


def _without_channel(held: Held, channel: int | None) -> tuple[Tensor, Tensor]:
    """Logits, and the grid (N, K, h, w) as it was; tokens before it keep all their channels."""
    seen: list[Tensor] = []

    def clear(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        seen.append(output if held.turn is None else held.turn(output))
        left = output.clone()
        if channel is not None:
            grid = left[:, channel] if held.turn is None else left[:, 1:, channel]
            grid.zero_()
        return left

    handle = held.hooked.register_forward_hook(clear)
    with torch.no_grad():
        logits: Tensor = held.module(held.images)
    handle.remove()
    return logits, seen[0]
