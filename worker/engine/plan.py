"""An audit made ready: its protocol, and its models loaded onto the device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from app.domain.cam_methods import DEFAULT_MASKS
from app.domain.label_mapping import LabelMapping
from app.domain.preprocessing import InputSpec, Preprocessing
from app.domain.protocol import Protocol
from app.domain.subjects import Pairing, Subject, pairings_of
from app.domain.vocabulary import Explained, OutputKind, Weights
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.observing import UNKNOWN_CLASS, CachedMap
from worker.engine.sample_reader import DecodedBatch
from worker.measures import PAIRINGS
from worker.measures.base import PairScores, Score, first_reasons
from worker.salience.explainer import Explainer
from worker.salience.maps import SalienceMaps
from worker.salience.normalisation import Normalisation
from worker.salience.other_class import OtherClassExplainer
from worker.weights.cache import LoadedModel, ModelCache
from worker.wire.contents import Inputs
from worker.wire.jobs import JobCachedMap, JobModel, ShardJob


@dataclass(frozen=True)
class BatchOutcome:
    """What all subjects of an audit gave for one batch."""

    outcomes: tuple[Outcome, ...]
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
    """One a subject, as are their protocols and the specs of their images."""
    protocols: tuple[Protocol, ...]
    specs: tuple[InputSpec, ...]
    pairings: tuple[Pairing, ...]
    device: torch.device
    cached: Mapping[tuple[int, int], JobCachedMap]
    """By subject and sample of the job."""

    @classmethod
    def load(cls, job: ShardJob, inputs: Inputs, models: ModelCache, device: torch.device) -> Self:
        """Raises InputFailure where a model cannot be loaded or lacks the target layer."""
        loaded = [models.get(inputs, job.models[one.model], device, _seed(job, one)) for one in job.subjects]
        several = job.models[0].output.kind is OutputKind.MULTILABEL
        return cls(
            protocol=job.protocol,
            mapping=LabelMapping(job.label_indices, several=several),
            class_count=len(job.score_classes),
            auditors=tuple(_auditor(job, *one, device) for one in zip(job.subjects, loaded, strict=True)),
            protocols=tuple(subject.protocol(job.protocol) for subject in job.subjects),
            specs=tuple(Preprocessing.of(job.models[subject.model].preprocessing).spec for subject in job.subjects),
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
        return lambda: self._scored(tuple(scored() for scored in looks))

    def _scored(self, outcomes: tuple[Outcome, ...]) -> BatchOutcome:
        clean = [outcome.clean.maps for outcome in outcomes]
        return BatchOutcome(
            outcomes,
            tuple(_paired(pairing, clean) for pairing in self.pairings),
        )

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


def _paired(pairing: Pairing, clean: Sequence[SalienceMaps]) -> PairScores:
    """Over all groups of the pairing; one group alone is what its measure makes of it."""
    measure = PAIRINGS[pairing.column.measure]
    found = [measure([clean[place] for place in group]) for group in pairing.groups]
    if len(found) == 1:
        return found[0]
    pairs = tuple(pair for one in found for pair in one.pairs)
    mean = torch.stack([pair.values for pair in pairs]).double().mean(0)
    return PairScores(Score(mean, first_reasons(list(pairs))), pairs)


def _cached_map(cached: JobCachedMap) -> CachedMap:
    return CachedMap(
        native=torch.from_numpy(cached.cells()),
        predicted=torch.tensor(cached.predicted),
        class_scores=torch.tensor(cached.class_scores, dtype=torch.float64),
    )


def _seed(job: ShardJob, subject: Subject) -> int | None:
    """By which the weights of a random twin are drawn."""
    return job.protocol.seed if subject.weights is Weights.RANDOM else None


def _auditor(job: ShardJob, subject: Subject, loaded: LoadedModel, device: torch.device) -> ModelAuditor:
    model, protocol = job.models[subject.model], subject.protocol(job.protocol)
    normalisation = Normalisation(Preprocessing.of(model.preprocessing), loaded.channels)
    explainer = explainer_of(protocol, model, loaded)
    if subject.explained is Explained.OTHER_CLASS:
        explainer = OtherClassExplainer(explainer)
    return ModelAuditor(explainer, normalisation, protocol, job.score_classes, device)


def explainer_of(protocol: Protocol, model: JobModel, loaded: LoadedModel) -> Explainer:
    """Of a subject with that protocol. Raises InputFailure where the network lacks the target layer."""
    salience = protocol.salience
    layer, masks = salience.target_layer or model.target_layer, salience.masks or DEFAULT_MASKS
    input_size = Preprocessing.of(model.preprocessing).input_size
    return loaded.explainer(salience.method, input_size, layer, model.output, masks)
