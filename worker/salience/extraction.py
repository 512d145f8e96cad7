"""Activation and gradient of one tensor at the price of a forward pass: the graph is cut at the target layer.

Everything before the target runs without gradients; the target becomes the only leaf, and a clone of it is handed on,
since an in-place ReLU on the leaf is an error and on an alias of it changes what was captured.
"""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from app.errors import InputFailure
from worker.salience.decisions import Decisions
from worker.salience.hook import TargetHook


@dataclass(frozen=True)
class Extraction:
    """Of N images: ``logits`` (N, C) by class (``Decisions``), ``predicted`` (N,) int64, and the target's pair.

    ``activation`` and ``gradient`` (N, K, h, w) float32 are of the same tensor; the gradient is of the chosen logit.
    """

    logits: Tensor
    predicted: Tensor
    activation: Tensor
    gradient: Tensor


class Extractor(Protocol):
    """A loaded network at the place where its salience is taken, whatever runs it."""

    @property
    def decisions(self) -> Decisions:
        """How the network's outputs are read."""

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels (down, right) by which an image must move for the feature map to move by one cell."""

    def extract(self, images: Tensor, target: Tensor | None = None) -> Extraction:
        """``images`` (N, 3, S, S) normalised float; ``target`` (N,) int64 classes, None: the class predicted."""


class SalienceExtractor:
    """Takes pairs from a torch module, which itself is never changed."""

    def __init__(self, hook: TargetHook) -> None:
        self._hook = hook
        self.decisions = hook.decisions
        self.stride = hook.stride

    def logits(self, images: Tensor) -> Tensor:
        """(N, C) by class, without a map."""
        with torch.no_grad():
            return self._hook.run(images, lambda seen: seen)

    def extract(self, images: Tensor, target: Tensor | None = None) -> Extraction:
        """``images`` (N, 3, S, S) normalised float; ``target`` (N,) int64 classes, None: the class predicted."""
        leaves: list[Tensor] = []

        def cut(arriving: Tensor) -> Tensor:
            """Everything after this is differentiated with respect to the leaf alone."""
            leaves[:] = [arriving.detach().clone().requires_grad_()]
            torch.set_grad_enabled(True)
            return leaves[0].clone()

        with torch.no_grad():
            logits = self._hook.run(images, cut)
            predicted = logits.detach().argmax(1)
            chosen = predicted if target is None else target
            total = logits.gather(1, chosen.view(-1, 1)).sum()
            gradient = torch.autograd.grad(total, leaves, allow_unused=True)[0] if total.requires_grad else None
        if gradient is None:
            raise InputFailure(
                "target-layer-not-found", f"No output depends on the layer {self._hook.layer.name[:200]!r}."
            )
        return Extraction(logits.detach(), predicted, leaves[0].detach(), gradient)
