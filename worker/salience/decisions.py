"""From a network's raw outputs to what is decided by, explained and scored."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.models.outputs import CLASSES, Output
from app.domain.vocabulary import ClassScore, OutputKind


@dataclass(frozen=True)
class Decisions:
    """How the outputs of one model are read."""

    output: Output = CLASSES

    def of(self, logits: Tensor) -> Tensor:
        """One number a class (N, C): the highest decides, and the gradient of one of them is what a map explains.

        ``logits`` (N, C) float32 of classes and labels stay as they are. One logit z (N, 1) with t the threshold's
        logit becomes (t - z, z - t) in float64, since to subtract t in float32 would cost the score its last bits: a
        map explains z - t on the side that was predicted. At the threshold the negative class is predicted.
        """
        if self.output.kind is not OutputKind.BINARY:
            return logits
        above = logits.double() - self.output.threshold_logit
        return torch.cat([-above, above], 1)

    def rows(self, weights: Tensor) -> Tensor:
        """(C, K) of ``weights`` (outputs, K): how one number a class changes with K numbers that the outputs are linear
        in.
        """
        return torch.cat([-weights, weights]) if self.output.kind is OutputKind.BINARY else weights

    def class_scores(self, logits: Tensor, wanted: ClassScore) -> Tensor:
        """(N, C) float64 in [0, 1] from what ``of`` returned; NaN stays NaN.

        Softmax in float64 leaves fewer ties near 1 than in float32. A single logit's is sigmoid(z), whatever the
        threshold; labels are independent of each other.
        """
        doubles = logits.double()
        if self.output.kind is OutputKind.BINARY:
            positive = (doubles[:, 1:] + self.output.threshold_logit).sigmoid()
            return torch.cat([1 - positive, positive], 1)
        if self.output.kind is OutputKind.MULTILABEL or wanted is ClassScore.SIGMOID:
            return doubles.sigmoid()
        return doubles.softmax(1)
