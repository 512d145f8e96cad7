"""A method asked for another class than the one that is explained, so that the maps of the two can be compared."""

import torch
from torch import Tensor

from worker.salience.draws import UNNAMED, Draws
from worker.salience.explainer import Explainer, Explanation


class OtherClassExplainer:
    """Of all classes but the one that ``explainer`` is asked for, the one with the highest logit in that very image.

    A first pass without a map finds it; its logits have the same bits as those of the second, and of the audit's own
    clean pass, since all are padded alike. One logit's other class is the other side; of independent labels it is
    another label.
    """

    def __init__(self, explainer: Explainer) -> None:
        self._explainer = explainer
        self.decisions = explainer.decisions
        self.stride = explainer.stride

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        """``images`` (N, 3, S, S) normalised float; ``target`` (N,) int64 classes that are not to be explained, None:
        the class predicted. ``predicted`` and ``logits`` are what the network says, as ever.
        """
        return self._explainer.explain(images, other_class(self.logits(images), target), draws)

    def logits(self, images: Tensor) -> Tensor:
        """(N, C) by class, whichever is explained."""
        return self._explainer.logits(images)


def other_class(logits: Tensor, explained: Tensor | None) -> Tensor:
    """(N,) int64: the highest of ``logits`` (N, C >= 2) beside ``explained`` (N,) int64; None: beside the highest."""
    own = logits.argmax(1) if explained is None else explained
    return logits.scatter(1, own.view(-1, 1), -torch.inf).argmax(1)
