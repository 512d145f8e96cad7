"""What the host makes of a look: maps that are defined or not, predictions, scores of classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.measures import SUFFICIENCY
from app.domain.models.input_size import InputSize
from app.domain.protocol import Protocol
from app.domain.vocabulary import ClassScore, UndefinedReason
from worker.engine.looking import Look
from worker.salience.decisions import Decisions
from worker.views.maps import SalienceMaps

UNKNOWN_CLASS = -1


@dataclass(frozen=True)
class Observation:
    """What a model saw and said in N images of one condition.

    ``predicted`` (N,) int64, -1 where the logits are not finite; ``class_scores`` (N, L) and ``softmax`` (N, C)
    float64, NaN likewise. ``softmax`` is there where a measure of the protocol asks for it.
    """

    maps: SalienceMaps
    predicted: Tensor
    class_scores: Tensor
    softmax: Tensor | None = None


@dataclass(frozen=True)
class CachedMap:
    """What an earlier audit saw in one clean sample: ``native`` (h, w), ``predicted`` (), ``class_scores`` (L,)."""

    native: Tensor
    predicted: Tensor
    class_scores: Tensor
    reason: UndefinedReason | None = None


@dataclass(frozen=True)
class Observer:
    """``score_classes`` are the classes whose scores are kept; ``input_size`` is that of the images in pixels."""

    decisions: Decisions
    protocol: Protocol
    score_classes: tuple[int, ...]
    input_size: InputSize

    def observation(self, look: Look, missing: Tensor | None) -> Observation:
        """Of N images; ``missing`` (N,) bool: there was nothing to explain in them."""
        finite = torch.isfinite(look.logits).all(1)
        absent = torch.zeros_like(look.constant) if missing is None else missing
        flags = zip(finite.tolist(), absent.tolist(), look.constant.tolist(), strict=True)
        reasons = tuple(_reason(*one) for one in flags)
        defined = torch.tensor([reason is None for reason in reasons]).view(-1, 1, 1)
        maps = SalienceMaps(look.native.where(defined, 0), reasons, self.input_size)
        predicted = look.predicted.where(finite, UNKNOWN_CLASS)
        return Observation(maps, predicted, self._class_scores(look.logits, finite), self._softmax(look.logits, finite))

    def joined(self, parts: Sequence[CachedMap]) -> Observation:
        """Of samples one by one."""
        reasons = tuple(part.reason for part in parts)
        maps = SalienceMaps(torch.stack([part.native for part in parts]), reasons, self.input_size)
        scores = torch.stack([part.class_scores for part in parts])
        return Observation(maps, torch.stack([part.predicted for part in parts]), scores)

    def _class_scores(self, logits: Tensor, finite: Tensor) -> Tensor:
        scores = self.decisions.class_scores(logits, self.protocol.class_score)
        return scores[:, list(self.score_classes)].where(finite.view(-1, 1), torch.nan)

    def _softmax(self, logits: Tensor, finite: Tensor) -> Tensor | None:
        if SUFFICIENCY.settings_in(self.protocol.measures) is None:
            return None
        scores = self.decisions.class_scores(logits, ClassScore.SOFTMAX)
        return scores.where(finite.view(-1, 1), torch.nan)


def _reason(finite: bool, missing: bool, constant: bool) -> UndefinedReason | None:  # noqa: FBT001
    if not finite:
        return UndefinedReason.NONFINITE_OUTPUT
    if missing:
        return UndefinedReason.NO_TARGET
    return UndefinedReason.CONSTANT_MAP if constant else None
