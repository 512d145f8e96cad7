"""One pass over a batch of samples: clean maps, every view's maps once, scores. Knows no file, queue or database."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from app.domain.measures import SUFFICIENCY
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, ClassScore, SalienceTarget, UndefinedReason
from worker.functional.quantization import min_max
from worker.measures import Score, Seen, scores_of
from worker.measures.base import Answers
from worker.salience.explainer import Explainer, Explanation
from worker.salience.maps import SalienceMaps
from worker.salience.normalisation import Normalisation
from worker.views import ViewSetting, make_views
from worker.views.base import ImageBatch

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
class Outcome:
    """What one model gave for N samples: observations by condition (clean first), scores by measure and view."""

    observations: Mapping[str, Observation]
    scores: Mapping[tuple[str, str], Score]

    @property
    def clean(self) -> Observation:
        return self.observations[CLEAN]


class ModelAuditor:
    """One model under one protocol.

    ``score_classes`` are the classes whose scores are kept for AUROC. A batch is padded to the protocol's
    micro-batch, since the last bits of a convolution depend on its batch size.
    """

    def __init__(
        self,
        explainer: Explainer,
        normalisation: Normalisation,
        protocol: Protocol,
        score_classes: tuple[int, ...],
    ) -> None:
        self._explainer = explainer
        self._normalise = normalisation
        self._protocol = protocol
        self._score_classes = list(score_classes)
        self._asks_scores = SUFFICIENCY.settings_in(protocol.measures) is not None
        setting = ViewSetting(protocol, normalisation.input_size, explainer.stride, normalisation.colour)
        self._views = make_views(protocol.conditions(), setting)

    def audit(
        self, batch: ImageBatch, truth: Tensor, cached: Mapping[int, CachedMap] = MappingProxyType({})
    ) -> Outcome:
        """Scores of the batch; ``truth`` (N,) int64 holds each sample's class, -1 where it has none; of
        independent labels (N, K) bool.

        ``cached`` are clean observations, by their place in the batch, that need not be made again.
        """
        clean = self._clean(batch.images, self._target(truth, predicted=None), cached)
        target = self._target(truth, predicted=clean.predicted)
        observations = {CLEAN: clean}
        for name, view in self._views.items():
            observations[name] = self._observe(view.transform(batch, clean.maps), target)
        changed = {name: observations[name].maps for name in self._views}
        seen = Seen(clean.maps, changed, self._views, _answers(observations, truth))
        return Outcome(observations, scores_of(self._protocol, seen))

    def _clean(self, images: Tensor, target: Tensor | None, cached: Mapping[int, CachedMap]) -> Observation:
        missing = [place for place in range(len(images)) if place not in cached]
        if len(missing) == len(images):
            return self._observe(images, target)
        observations = dict(cached)
        if missing:
            made = self._observe(images[missing], None if target is None else target[missing])
            columns = zip(made.maps.native, made.predicted, made.class_scores, made.maps.reasons, strict=True)
            observations |= {place: CachedMap(*cells) for place, cells in zip(missing, columns, strict=True)}
        ordered = [observations[place] for place in range(len(images))]
        maps = SalienceMaps(
            torch.stack([observation.native for observation in ordered]),
            tuple(observation.reason for observation in ordered),
            images.shape[-1],
        )
        scores = torch.stack([observation.class_scores for observation in ordered])
        return Observation(maps, torch.stack([observation.predicted for observation in ordered]), scores)

    def _target(self, truth: Tensor, *, predicted: Tensor | None) -> Tensor | None:
        """Class indices to explain (N,), or None for the class predicted for each image."""
        target = self._protocol.salience.target
        if isinstance(target, int):
            return torch.full((len(truth),), target, device=truth.device)
        return {SalienceTarget.LABEL: truth, SalienceTarget.CLEAN_PREDICTED: predicted}.get(target)

    def _observe(self, images: Tensor, target: Tensor | None) -> Observation:
        """``target`` (N,) int64 classes, or (N, K) bool: the labels of which each sample has any number."""
        if target is not None and target.dim() == 2:
            seen, native, constant = self._mean_over_labels(images, target)
            missing = ~target.any(1)
        else:
            seen, native, constant = self._explained(images, target)
            missing = torch.zeros_like(constant) if target is None else target < 0
        finite = torch.isfinite(seen.logits).all(1)
        reasons = tuple(
            _reason(*flags) for flags in zip(finite.tolist(), missing.tolist(), constant.tolist(), strict=True)
        )
        defined = torch.tensor([reason is None for reason in reasons], device=native.device).view(-1, 1, 1)
        maps = SalienceMaps(native.where(defined, 0), reasons, images.shape[-1])
        predicted = seen.predicted.where(finite, UNKNOWN_CLASS)
        return Observation(maps, predicted, self._class_scores(seen.logits, finite), self._softmax(seen.logits, finite))

    def _explained(self, images: Tensor, target: Tensor | None) -> tuple[Explanation, Tensor, Tensor]:
        """Of N images, whatever the batch was padded to: what the explainer gave, maps after min-max, which are
        constant."""
        count, size = len(images), self._protocol.micro_batch
        chosen = None if target is None else _padded(target.clamp(min=0), size)
        seen = self._explainer.explain(self._normalise(_padded(images, size)), chosen)
        native, constant = min_max(seen.maps[:count])
        return Explanation(seen.logits[:count], seen.predicted[:count], seen.maps[:count]), native, constant

    def _mean_over_labels(self, images: Tensor, positives: Tensor) -> tuple[Explanation, Tensor, Tensor]:
        """The mean of the maps (after min-max) of each sample's labels; a map that is constant counts as none."""
        wanted = positives.any(0).nonzero().view(-1).tolist()
        if not wanted:
            return self._explained(images, None)
        total, counts = torch.zeros(()), torch.zeros(len(images), device=images.device)
        for label in wanted:
            target = torch.full((len(images),), label, device=images.device)
            seen, native, constant = self._explained(images, target)
            used = positives[:, label] & ~constant
            total = total.to(native.device) + native.where(used.view(-1, 1, 1), 0)
            counts += used
        return seen, total / counts.clamp(min=1).view(-1, 1, 1), counts == 0

    def _class_scores(self, logits: Tensor, finite: Tensor) -> Tensor:
        scores = self._explainer.decisions.class_scores(logits, self._protocol.class_score)
        return scores[:, self._score_classes].where(finite.view(-1, 1), torch.nan)

    def _softmax(self, logits: Tensor, finite: Tensor) -> Tensor | None:
        if not self._asks_scores:
            return None
        scores = self._explainer.decisions.class_scores(logits, ClassScore.SOFTMAX)
        return scores.where(finite.view(-1, 1), torch.nan)


def _answers(observations: Mapping[str, Observation], truth: Tensor) -> dict[str, Answers]:
    """The scores of the clean image's class and of the label in every condition, where they were asked for."""
    followed = observations[CLEAN].predicted
    return {
        name: Answers(_scores_of(observation.softmax, followed), _scores_of(observation.softmax, truth))
        for name, observation in observations.items()
        if observation.softmax is not None
    }


def _scores_of(softmax: Tensor, classes: Tensor) -> Tensor:
    """(N,) of one class a sample, NaN where it has none (-1), or may have several ((N, K) bool)."""
    if classes.dim() == 2:
        return torch.full_like(softmax[:, 0], torch.nan)
    scores = softmax.gather(1, classes.clamp(min=0).view(-1, 1)).view(-1)
    return scores.where(classes >= 0, torch.nan)


def _padded(rows: Tensor, size: int) -> Tensor:
    """Rows repeated from the last one up to ``size``."""
    missing = size - len(rows)
    return rows if missing <= 0 else torch.cat([rows, rows[-1:].expand(missing, *rows.shape[1:])])


def _reason(finite: bool, missing: bool, constant: bool) -> UndefinedReason | None:  # noqa: FBT001
    if not finite:
        return UndefinedReason.NONFINITE_OUTPUT
    if missing:
        return UndefinedReason.NO_TARGET
    return UndefinedReason.CONSTANT_MAP if constant else None
