"""Activation and gradient of a feature map that a pooling and one linear layer turn into logits, without autograd.

Behind a mean over (h, w) and weights W, the gradient of logit c at channel k is W[c, k] / (h w) in every cell.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from worker.salience.decisions import Decisions
from worker.salience.extraction import Extraction


@dataclass(frozen=True)
class Seen:
    """Of N images: the outputs (N, O) before a final softmax or sigmoid, and the feature map (N, K, h, w)."""

    outputs: Tensor
    features: Tensor


@dataclass(frozen=True)
class ClosedFormExtractor:
    """``forward`` takes (N, 3, S, S) normalised float32; ``weights`` (O, K) float32 are the linear layer's."""

    forward: Callable[[Tensor], Seen]
    weights: Tensor
    decisions: Decisions
    stride: tuple[int, int]

    def extract(self, images: Tensor, target: Tensor | None = None) -> Extraction:
        """``target`` (N,) int64 classes, None: the class predicted. The gradient is a view of one number a channel."""
        seen = self.forward(images)
        logits = self.decisions.of(seen.outputs)
        predicted = logits.argmax(1)
        rows = self.decisions.rows(self.weights.to(images.device))
        height, width = seen.features.shape[2:]
        chosen = rows[predicted if target is None else target] / (height * width)
        gradient = chosen[:, :, None, None].expand_as(seen.features)
        return Extraction(logits, predicted, seen.features, gradient)


def agrees(seen: Seen, weights: Tensor, tolerance: float) -> bool:
    """Whether differences of outputs between images are those of the pooled features under the weights.

    A bias takes no part in a difference. ``tolerance`` is of the absolute terms of a sum.
    """
    pooled, rows = seen.features.double().mean((2, 3)), weights.double().mT
    found = seen.outputs.double().diff(dim=0)
    # A bias is a term of the sums as well.
    size = torch.maximum((pooled.abs() @ rows.abs()).max(), seen.outputs.abs().max())
    return bool(((pooled.diff(dim=0) @ rows) - found).abs().max() <= tolerance * size)
