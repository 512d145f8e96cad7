"""What an audit will cost, and how it is cut into shards."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.audits.planning.costs import SubjectCost, subject_costs
from app.audits.planning.looks import Labels, Looks, Range
from app.audits.planning.row_sizes import bytes_per_sample
from app.audits.planning.samples import Chosen
from app.db.tables import DatasetRow, MapSetRow, ModelRow
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.vocabulary import DeviceClass
from app.results.inputs import (
    NO_MODEL,
    AuditedSubject,
    GivenSubject,
    audited_subjects,
    class_count,
    given_subjects,
    label_mapping,
)
from app.settings import Settings

WORKERS = 4
"""Even a small audit is cut so that as many workers have a share of it."""
SAMPLES_OF_UNKNOWN_SPEED = 64


@dataclass(frozen=True)
class Work:
    """A request that can succeed: what is to be done, and where."""

    models: list[ModelRow]
    map_sets: list[MapSetRow]
    dataset: DatasetRow
    protocol: Protocol
    chosen: Chosen
    label_map: Any
    device_class: DeviceClass
    labels: Labels | None = None
    """Of each sample those that are explained one by one; None where one class of it is."""

    @property
    def samples(self) -> int:
        return self.chosen.count

    @property
    def mapping(self) -> LabelMapping:
        """How labels meet the classes, which are the same of all models."""
        return label_mapping(self.dataset, self.models[0], self.label_map) if self.models else NO_MODEL

    @property
    def subjects(self) -> tuple[AuditedSubject, ...]:
        """The models that give maps, in the order of the rows."""
        return audited_subjects(self.protocol, self.models)

    @property
    def given(self) -> tuple[GivenSubject, ...]:
        """The map sets, whose rows come behind."""
        return given_subjects(self.protocol, self.models, self.map_sets)

    @cached_property
    def costs(self) -> tuple[SubjectCost, ...]:
        """Of the subjects, in their order."""
        return subject_costs(self.subjects, self.device_class)

    def looks(self, ranges: Iterable[Range]) -> Looks:
        """At the samples in one condition, where shards are cut so."""
        return Looks.of(ranges, self.protocol.micro_batch, self.labels)

    @property
    def unknown_because(self) -> str | None:
        """Why the seconds of the passes are not known."""
        return " ".join(dict.fromkeys(cost.unknown_because for cost in self.costs if cost.unknown_because)) or None

    @property
    def seconds_per_sample(self) -> float | None:
        """All models' passes, from their probes. Shards are whole micro-batches: however long they are, the labels of
        those batches are the same."""
        looks = self.looks([(0, self.samples)])
        known = [cost.seconds * cost.images(looks) for cost in self.costs if cost.seconds is not None]
        return sum(known) / max(1, self.samples) if len(known) == len(self.costs) else None

    @property
    def bytes_per_sample(self) -> int:
        """Rows of scores and maps."""
        classes = class_count(self.models[0]) if self.models else 0
        score_classes = len(self.mapping.score_classes(classes))
        return bytes_per_sample(self.protocol, (*self.subjects, *self.given), score_classes)


def shard_samples(work: Work, settings: Settings) -> int:
    """About SHARD_SECONDS of work, fewer where workers would stay idle, in whole micro-batches and at least one.

    The last batch of a shard is padded, so that half a micro-batch costs as much as a whole one.
    """
    if settings.shard_samples is not None:
        return settings.shard_samples
    seconds = work.seconds_per_sample
    wanted = settings.shard_seconds / seconds if seconds else SAMPLES_OF_UNKNOWN_SPEED
    limits = (work.samples / WORKERS, settings.max_shard_samples, settings.max_shard_bytes / work.bytes_per_sample)
    batch = work.protocol.micro_batch
    return max(1, int(min(wanted, *limits)) // batch) * batch


def shard_ranges(work: Work, settings: Settings) -> list[Range]:
    """Contiguous ranges [start, stop) of the audit's samples."""
    size = shard_samples(work, settings)
    return [(start, min(start + size, work.samples)) for start in range(0, work.samples, size)]


def estimated_seconds(work: Work, ranges: list[Range]) -> float | None:
    """One worker's time for the models' passes, the padding of every shard's last batch among them."""
    if work.seconds_per_sample is None:
        return None
    looks = work.looks(ranges)
    return sum(cost.seconds_of(looks) for cost in work.costs)
