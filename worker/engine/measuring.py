"""One pass over a batch of samples: clean maps, every view's maps once, scores. Knows no file, queue or database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType

import torch
from torch import Tensor

from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, SalienceTarget
from worker.engine.looking import Look, Looker, Target, fetch_looks
from worker.engine.normalisation import Normalisation
from worker.engine.observing import CachedMap, Observation, Observer
from worker.engine.transfers import send
from worker.measures import Score, Seen, scores_of
from worker.measures.base import Answers
from worker.salience.draws import Draws
from worker.salience.explainer import Explainer
from worker.salience.sharing import SharingExplainer
from worker.views import View, ViewSetting, make_views
from worker.views.base import ImageBatch, ImageView

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Outcome:
    """What one subject gave for N samples: observations by condition (clean first), scores by measure and view.

    ``kept`` are native maps (N, h, w) by condition to be stored in place of the observed ones; None: those themselves.
    """

    observations: Mapping[str, Observation]
    scores: Mapping[tuple[str, str], Score]
    kept: Mapping[str, Tensor] | None = None

    @property
    def clean(self) -> Observation:
        return self.observations[CLEAN]


@dataclass(frozen=True)
class _Clean:
    """The clean images, looked at: ``observed`` waits for the device, ``predicted`` (N,) int64 is there already."""

    observed: Callable[[], Observation]
    predicted: Tensor


class ModelAuditor:
    """One model under one protocol, on ``device``; images, classes and all that is found are the host's.

    ``score_classes`` are the classes whose scores are kept for AUROC. A batch is padded to the protocol's
    micro-batch, since the last bits of a convolution depend on its batch size.
    """

    def __init__(
        self,
        explainer: Explainer,
        normalisation: Normalisation,
        protocol: Protocol,
        score_classes: tuple[int, ...],
        device: torch.device = CPU,
    ) -> None:
        self._protocol = protocol
        self._device = device
        alone = CAM_METHODS[protocol.salience.method].image_by_image
        self._looker = Looker(explainer, normalisation, None if alone else protocol.micro_batch, device)
        self._observer = Observer(explainer.decisions, protocol, score_classes, normalisation.input_size)
        setting = ViewSetting(protocol, normalisation.input_size, explainer.stride, normalisation.colour)
        self._views = make_views(protocol.conditions(), setting)

    def make_ahead(self, batch: ImageBatch) -> None:
        """The views that need the images alone, which the batch keeps."""
        for view in self._views.values():
            if isinstance(view, ImageView):
                view.of_images(batch)

    def audit(
        self, batch: ImageBatch, truth: Tensor, cached: Mapping[int, CachedMap] = MappingProxyType({})
    ) -> Outcome:
        """Scores of the batch; ``truth`` (N,) int64 holds each sample's class, -1 where it has none; of
        independent labels (N, K) bool.

        ``cached`` are clean observations, by their place in the batch, that need not be made again.
        """
        return self.look(batch, truth, cached)()

    def look(
        self, batch: ImageBatch, truth: Tensor, cached: Mapping[int, CachedMap] = MappingProxyType({})
    ) -> Callable[[], Outcome]:
        """All passes of a batch; the function that this returns waits for them and makes of them what ``audit`` gives,
        in whichever thread.
        """
        clean = self._clean(batch, truth, cached)
        observed = self._changed(batch, clean, self._target(truth, clean))

        def scored() -> Outcome:
            observations = {CLEAN: clean.observed(), **observed()}
            changed = {name: observations[name].maps for name in self._views}
            seen = Seen(clean.observed().maps, changed, self._views, batch.samples, _answers(observations, truth))
            return Outcome(observations, scores_of(self._protocol, seen))

        return scored

    def _changed(self, batch: ImageBatch, clean: _Clean, target: Target) -> Callable[[], dict[str, Observation]]:
        """Of every view. Those that follow the clean map are made while a device looks at the others."""
        following = {
            name: self._looker.beside(partial(_followed, view, batch, clean.observed))
            for name, view in self._views.items()
            if not isinstance(view, ImageView)
        }
        looks = {
            name: self._look(batch, name, view.of_images(batch), target.chosen)
            for name, view in self._views.items()
            if isinstance(view, ImageView)
        }
        draws = self._draws(batch)
        looks |= {name: self._looker.look(made(), target.chosen, draws) for name, made in following.items()}
        fetched = fetch_looks(list(looks.values()))

        def observed() -> dict[str, Observation]:
            found, missing = dict(zip(looks, fetched(), strict=True)), target.missing()
            return {name: self._observer.observation(found[name], missing) for name in self._views}

        return observed

    def _look(self, batch: ImageBatch, condition: str, images: Tensor, chosen: Tensor | None) -> Look:
        """At images that the condition changes in the same way for every method: those that share passes look once."""
        explainer = self._looker.explainer
        if not isinstance(explainer, SharingExplainer):
            return self._looker.look(images, chosen, self._draws(batch))
        together = explainer.together
        looks = batch.shared((together, condition), lambda: self._looker.looks(together.explain, images, chosen))
        return looks[explainer.place]

    def _draws(self, batch: ImageBatch) -> Draws:
        return Draws(self._protocol.seed, batch.samples)

    def _clean(self, batch: ImageBatch, truth: Tensor, cached: Mapping[int, CachedMap]) -> _Clean:
        missing = [place for place in range(len(batch.images)) if place not in cached]
        if len(missing) < len(batch.images):
            return self._partly_known(batch, truth, cached, missing)
        target = self._target(truth, None)
        look = self._look(batch, CLEAN, batch.images, target.chosen)
        fetched = fetch_looks([look])
        return _Clean(cache(lambda: self._observer.observation(fetched()[0], target.missing())), look.predicted)

    def _partly_known(
        self, batch: ImageBatch, truth: Tensor, cached: Mapping[int, CachedMap], missing: list[int]
    ) -> _Clean:
        parts = dict(cached)
        if missing:
            unknown = ImageBatch(batch.images[missing], tuple(batch.samples[place] for place in missing))
            made = self._clean(unknown, truth[missing], {}).observed()
            columns = zip(made.maps.native, made.predicted, made.class_scores, made.maps.reasons, strict=True)
            parts |= {place: CachedMap(*cells) for place, cells in zip(missing, columns, strict=True)}
        whole = self._observer.joined([parts[place] for place in range(len(batch.images))])
        return _Clean(lambda: whole, send(whole.predicted.clamp(min=0), self._device))

    def _target(self, truth: Tensor, clean: _Clean | None) -> Target:
        """What to explain; without ``clean``, in the clean images themselves."""
        target = self._protocol.salience.target
        if isinstance(target, int):
            return Target.of(torch.full((len(truth),), target), self._device)
        if target is SalienceTarget.LABEL:
            return Target.of(truth, self._device)
        if target is SalienceTarget.CLEAN_PREDICTED and clean is not None:
            return Target(clean.predicted, lambda: clean.observed().predicted < 0)
        return Target(None, lambda: None)


def _followed(view: View, batch: ImageBatch, clean: Callable[[], Observation]) -> Tensor:
    return view.transform(batch, clean().maps)


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
