"""An audit made ready: its protocol, and its models loaded onto the device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from app.domain.audits.subjects import Pairing, pairings_of
from app.domain.measures import AGREEMENT
from app.domain.models.input_spec import InputSpec
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.vocabulary import OutputKind
from worker.engine.auditors import auditors_of, given_auditor, seed_of
from worker.engine.comparing import map_list
from worker.engine.given_maps import GivenAuditor
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.observing import UNKNOWN_CLASS, CachedMap
from worker.engine.pairings import paired, with_agreement
from worker.engine.sample_reader import DecodedBatch
from worker.given.agreement import agreement_with_given
from worker.measures.base import PairScores
from worker.weights.cache import ModelCache
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobCachedMap
from worker.wire.jobs import ShardJob


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
        loaded = [models.get(inputs, model, device, seed_of(job, one)) for one, model in of_models]
        several = any(model.output.kind is OutputKind.MULTILABEL for model in job.models)
        return cls(
            protocol=job.protocol,
            mapping=LabelMapping(job.label_indices, several=several),
            class_count=len(job.score_classes),
            auditors=auditors_of(job, of_models, loaded, device),
            protocols=tuple(subject.protocol(job.protocol) for subject in job.subjects),
            specs=tuple(Preprocessing.of(model.preprocessing).spec for _, model in of_models),
            given=tuple(given_auditor(job, one, inputs) for one in job.subjects if one.map_set is not None),
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
        pairings = tuple(paired(pairing, clean) for pairing in self.pairings)
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
        return tuple(tuple(with_agreement(own, scores)) for own, scores in zip(parts, found, strict=True))

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


def _cached_map(cached: JobCachedMap) -> CachedMap:
    return CachedMap(
        native=torch.from_numpy(cached.cells()),
        predicted=torch.tensor(cached.predicted),
        class_scores=torch.tensor(cached.class_scores, dtype=torch.float64),
    )
