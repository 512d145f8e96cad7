"""What the engine asks of salience: raw maps and logits of a batch, by whichever method."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from worker.salience.decisions import Decisions
from worker.salience.draws import UNNAMED, Draws
from worker.salience.extraction import Extractor


@dataclass(frozen=True)
class Explanation:
    """Of N images: ``logits`` (N, C) by class (``Decisions``), ``predicted`` (N,) int64, ``maps`` (N, h, w), raw."""

    logits: Tensor
    predicted: Tensor
    maps: Tensor


class Explainer(Protocol):
    """A CAM method on one model."""

    @property
    def decisions(self) -> Decisions:
        """How the model's outputs are read."""

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels (down, right) by which an image must move for the target layer's map to move by one cell."""

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        """``images`` (N, 3, S, S) normalised float; ``target`` (N,) int64 classes, None: the class predicted.

        ``draws`` is for methods that need random numbers.
        """

    def logits(self, images: Tensor) -> Tensor:
        """(N, C) by class: those that ``explain`` gives of the images, bit for bit, without their maps."""


class Cuttable(Protocol):
    """A network whose feature map can be seen and replaced on its way, whatever runs it."""

    @property
    def decisions(self) -> Decisions:
        """How the network's outputs are read."""

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels (down, right) by which an image must move for the feature map to move by one cell."""

    def run(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Logits by class (M, C), where ``change`` made (M, K, h, w) of the feature maps (N, K, h, w)."""


class PairExplainer:
    """A method that needs one activation and its gradient; ``make_map`` gets both (N, K, h, w)."""

    def __init__(self, extractor: Extractor, make_map: Callable[[Tensor, Tensor], Tensor]) -> None:
        self.decisions = extractor.decisions
        self.stride = extractor.stride
        self.make_map = make_map
        self._extractor = extractor

    def explain(self, images: Tensor, target: Tensor | None, draws: Draws = UNNAMED) -> Explanation:
        del draws
        return self.explain_by((self,), images, target)[0]

    def explain_by(
        self, methods: Sequence["PairExplainer"], images: Tensor, target: Tensor | None
    ) -> tuple[Explanation, ...]:
        """One a method, all of the same pass through this one's network."""
        pair = self._extractor.extract(images, target)
        return tuple(
            Explanation(pair.logits, pair.predicted, method.make_map(pair.activation, pair.gradient))
            for method in methods
        )

    def logits(self, images: Tensor) -> Tensor:
        """With the gradient, which costs next to nothing: without one, attention may run other kernels."""
        return self._extractor.extract(images).logits
