"""An audit made ready: its protocol, and its models loaded onto the device."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Self

import torch
from torch import Tensor

from app.domain.audits.subjects import Pairing, Subject, pairings_of
from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.measures import AGREEMENT
from app.domain.models.input_spec import InputSpec
from app.domain.models.preprocessing import MID_GREY, Preprocessing
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.vocabulary import CLEAN, Explained, OutputKind, Weights
from worker.engine.comparing import at_one_size, map_list, score_of
from worker.engine.given_maps import GivenAuditor
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.engine.observing import UNKNOWN_CLASS, CachedMap
from worker.engine.sample_reader import DecodedBatch
from worker.given.agreement import agreement_with_given
from worker.given.comparing import Compared
from worker.given.maps import GivenMaps
from worker.measures import PAIRINGS
from worker.measures.base import Pairing as PairMeasure
from worker.measures.base import PairScores, Score, first_reasons
from worker.salience.explainer import Explainer
from worker.salience.other_class import OtherClassExplainer
from worker.salience.sharing import sharing
from worker.views import ViewSetting, make_views
from worker.views.maps import SalienceMaps
from worker.weights.cache import LoadedModel, ModelCache
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobCachedMap, JobModel
from worker.wire.jobs import ShardJob

UNSEEN_SIZE = 224
"""Pixels of the square at which maps too small for a window are compared where no model says how large images are."""


@dataclass(frozen=True)
class BatchOutcome:
    """What all subjects of an audit gave for one batch."""

    outcomes: tuple[tuple[Outcome, ...], ...]
    """By subject: of a model all samples in one, of a map set, whose maps may differ in size, one by one."""
    pairings: tuple[PairScores, ...]
    """One a pairing of the plan."""


@dataclass(frozen=True)
class AuditPlan:
    """Everything that a shard needs but its samples."""

    protocol: Protocol
    mapping: LabelMapping
    class_count: int
    """Of independent labels, all of whose scores are kept."""
    auditors: tuple[ModelAuditor, ...]
    """One a subject that is a model, as are the specs of their images."""
    protocols: tuple[Protocol, ...]
    """One a subject: what is measured of it."""
    specs: tuple[InputSpec, ...]
    given: tuple[GivenAuditor, ...]
    """One a subject that is a map set; they come last."""
    pairings: tuple[Pairing, ...]
    device: torch.device
    cached: Mapping[tuple[int, int], JobCachedMap]
    """By subject and sample of the job."""

    @classmethod
    def load(cls, job: ShardJob, inputs: Inputs, models: ModelCache, device: torch.device) -> Self:
        """Raises InputFailure where a model cannot be loaded or lacks the target layer."""
        of_models = [(one, job.models[one.model]) for one in job.subjects if one.model is not None]
        loaded = [models.get(inputs, model, device, _seed(job, one)) for one, model in of_models]
        several = any(model.output.kind is OutputKind.MULTILABEL for model in job.models)
        return cls(
            protocol=job.protocol,
            mapping=LabelMapping(job.label_indices, several=several),
            class_count=len(job.score_classes),
            auditors=_auditors(job, of_models, loaded, device),
            protocols=tuple(subject.protocol(job.protocol) for subject in job.subjects),
            specs=tuple(Preprocessing.of(model.preprocessing).spec for _, model in of_models),
            given=tuple(_given(job, one, inputs) for one in job.subjects if one.map_set is not None),
            pairings=pairings_of(job.protocol, job.subjects),
            device=device,
            cached={(one.model_ordinal, one.number): one for one in job.cached},
        )

    @property
    def input_specs(self) -> tuple[InputSpec, ...]:
        """Every distinct way in which the subjects want their images, so that each is decoded once."""
        return tuple(dict.fromkeys(self.specs))

    def make_ahead(self, batch: DecodedBatch) -> None:
        """Beside a device, what needs the batch's images alone; a CPU has no core to spare from the passes."""
        if self.device.type == "cpu":
            return
        for auditor, spec in zip(self.auditors, self.specs, strict=True):
            auditor.make_ahead(batch.images[spec])

    def look(self, batch: DecodedBatch, first: int) -> Callable[[], BatchOutcome]:
        """All passes of all subjects on one batch; the function that this returns waits for them and scores them.

        Views that depend on the images alone are made once for all subjects. ``first`` is the number of the batch's
        first sample within the job.
        """
        truth = self._truth([sample.label for sample in batch.samples])
        looks = [
            auditor.look(batch.images[spec], truth, self._cached(ordinal, first, len(truth)))
            for ordinal, (auditor, spec) in enumerate(zip(self.auditors, self.specs, strict=True))
        ]
        numbers = range(first, first + len(truth))
        return lambda: self._scored([scored() for scored in looks], numbers)

    def _scored(self, outcomes: list[Outcome], numbers: range) -> BatchOutcome:
        given = [auditor.outcomes(numbers) for auditor in self.given]
        clean = [[outcome.clean.maps] for outcome in outcomes]
        clean += [[outcome.clean.maps for outcome in own] for own in given]
        pairings = tuple(_paired(pairing, clean) for pairing in self.pairings)
        parts = self._agreed([*([outcome] for outcome in outcomes), *given], numbers)
        return BatchOutcome(parts, pairings)

    def _agreed(self, parts: list[list[Outcome]], numbers: range) -> tuple[tuple[Outcome, ...], ...]:
        """With the scores of every subject's maps against those of the map sets, where they are asked for."""
        settings = AGREEMENT.settings_in(self.protocol.measures)
        if not self.given or settings is None:
            return tuple(map(tuple, parts))
        models = len(self.auditors)
        given = [auditor.map_list(own, numbers) for auditor, own in zip(self.given, parts[models:], strict=True)]
        found = agreement_with_given(settings, [map_list(own.clean.maps) for (own,) in parts[:models]], given)
        return tuple(tuple(_with(own, scores)) for own, scores in zip(parts, found, strict=True))

    def _cached(self, ordinal: int, first: int, count: int) -> dict[int, CachedMap]:
        """By place in the batch."""
        numbers = range(first, first + count)
        return {
            number - first: _cached_map(self.cached[ordinal, number])
            for number in numbers
            if (ordinal, number) in self.cached
        }

    def _truth(self, labels: Sequence[str | None]) -> Tensor:
        """(N,) int64 classes, -1 where there is none; of independent labels (N, K) bool."""
        indices = self.mapping.indices or {}
        if not self.mapping.several:
            return torch.tensor([indices.get(label or "", UNKNOWN_CLASS) for label in labels])
        truth = torch.zeros(len(labels), self.class_count, dtype=torch.bool)
        for row, label in enumerate(labels):
            truth[row, list(self.mapping.positives(label))] = True
        return truth


def _paired(pairing: Pairing, clean: Sequence[Sequence[SalienceMaps]]) -> PairScores:
    """Over all groups of the pairing; one group alone is what its measure makes of it. ``clean`` are by subject, in as
    many parts as its samples were looked at."""
    parts = [_part(pairing, own) for own in zip(*(clean[place] for place in sorted(pairing.members)), strict=True)]
    return parts[0] if len(parts) == 1 else _joined(parts)


def _part(pairing: Pairing, maps: Sequence[SalienceMaps]) -> PairScores:
    measure, by_place = PAIRINGS[pairing.column.measure], dict(zip(sorted(pairing.members), maps, strict=True))
    return _together([_of_group(measure, [by_place[place] for place in group]) for group in pairing.groups])


def _of_group(measure: PairMeasure, maps: Sequence[SalienceMaps]) -> PairScores:
    """Maps of several sizes two by two, each pair at the smaller one's: a third, smaller map takes nothing from it."""
    if len({tuple(one.native.shape[1:]) for one in maps}) == 1:
        return measure(list(maps))
    return _together([measure(at_one_size(pair)) for pair in combinations(maps, 2)])


def _together(found: Sequence[PairScores]) -> PairScores:
    """All pairs of all of them."""
    if len(found) == 1:
        return found[0]
    pairs = tuple(pair for one in found for pair in one.pairs)
    mean = torch.stack([pair.values for pair in pairs]).double().mean(0)
    return PairScores(Score(mean, first_reasons(list(pairs))), pairs)


def _joined(parts: Sequence[PairScores]) -> PairScores:
    """Of samples that were compared one by one."""
    pairs = tuple(_one_after_the_other(own) for own in zip(*(part.pairs for part in parts), strict=True))
    return PairScores(_one_after_the_other([part.score for part in parts]), pairs)


def _one_after_the_other(scores: Sequence[Score]) -> Score:
    return Score(torch.cat([one.values for one in scores]), tuple(reason for one in scores for reason in one.reasons))


def _with(parts: Sequence[Outcome], found: Mapping[str, Compared]) -> Iterator[Outcome]:
    """Scores of all samples, by view, among those of each part."""
    start, scores = 0, {view: score_of(one) for view, one in found.items()}
    for part in parts:
        stop = start + len(part.clean.predicted)
        own = {
            (AGREEMENT.name, view): Score(one.values[start:stop], one.reasons[start:stop])
            for view, one in scores.items()
        }
        yield replace(part, scores={**part.scores, **own})
        start = stop


def _cached_map(cached: JobCachedMap) -> CachedMap:
    return CachedMap(
        native=torch.from_numpy(cached.cells()),
        predicted=torch.tensor(cached.predicted),
        class_scores=torch.tensor(cached.class_scores, dtype=torch.float64),
    )


def _seed(job: ShardJob, subject: Subject) -> int | None:
    """By which the weights of a random twin are drawn."""
    return job.protocol.seed if subject.weights is Weights.RANDOM else None


def _auditors(
    job: ShardJob, asked: Sequence[tuple[Subject, JobModel]], loaded: Sequence[LoadedModel], device: torch.device
) -> tuple[ModelAuditor, ...]:
    explainers = sharing(
        ((subject.model, subject.weights, subject.salience.target_layer), _explainer(job, subject, model, one))
        for (subject, model), one in zip(asked, loaded, strict=True)
    )
    return tuple(
        ModelAuditor(
            explainer,
            Normalisation(Preprocessing.of(model.preprocessing), one.channels),
            subject.protocol(job.protocol),
            job.score_classes,
            device,
        )
        for (subject, model), one, explainer in zip(asked, loaded, explainers, strict=True)
    )


def _explainer(job: ShardJob, subject: Subject, model: JobModel, loaded: LoadedModel) -> Explainer:
    explainer = explainer_of(subject.protocol(job.protocol), model, loaded)
    return OtherClassExplainer(explainer) if subject.explained is Explained.OTHER_CLASS else explainer


def explainer_of(protocol: Protocol, model: JobModel, loaded: LoadedModel) -> Explainer:
    """Of a subject with that protocol. Raises InputFailure where the network lacks the target layer."""
    salience = protocol.salience
    layer, masks = salience.target_layer or model.target_layer, salience.masks or DEFAULT_MASKS
    input_size = Preprocessing.of(model.preprocessing).input_size
    return loaded.explainer(salience.method, input_size, layer, model.output, masks)


def _given(job: ShardJob, subject: Subject, inputs: Inputs) -> GivenAuditor:
    maps = GivenMaps.of(job.map_sets[subject.map_set or 0], inputs, job.frames)
    seen = Preprocessing.of(job.models[0].preprocessing).input_size if job.models else UNSEEN_SIZE
    size = job.map_sets[subject.map_set or 0].input_size or seen
    # No measure of a map set's asks for views that hang on a network's layer or colour.
    setting = ViewSetting(job.protocol, size, stride=(1, 1), colour=(MID_GREY, MID_GREY, MID_GREY))
    views = make_views((view for view in subject.conditions(job.protocol) if view != CLEAN), setting)
    names = [sample.name for sample in job.samples]
    return GivenAuditor(maps, subject, job.protocol, len(job.score_classes), size, views, names)
