"""What the child is asked to do. It has no database: a job says everything."""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from app.domain.audits.subjects import Subject
from app.domain.models.heads import Head
from app.domain.models.input_size import InputSize
from app.domain.models.outputs import CLASSES, Output
from app.domain.protocol import Protocol
from app.domain.vocabulary import ModelFormat
from worker.wire.job_parts import (
    Frame,
    ImageSize,
    JobCachedMap,
    JobMap,
    JobMapSet,
    JobModel,
    JobSample,
    JobTable,
    ReferenceSample,
)
from worker.wire.message import Message


class _Job(Message):
    """Names in ``log_ids`` what log lines name (app.observability.log_context): whose work it is."""

    log_ids: dict[str, str] = Field(default_factory=dict)

    @property
    def in_parts(self) -> frozenset[str]:
        """The inputs of which parts are read."""
        return frozenset()

    @property
    def unchecked(self) -> str | None:
        """The input of whose parts the job knows no checksums."""
        return None


class ShardJob(_Job):
    """Make the rows of these samples. ``label_indices`` is None where labels and classes do not meet.

    ``frames`` are by sample; empty where models see whole images.
    """

    kind: Literal["shard"] = "shard"
    protocol: Protocol
    archive_digest: str
    label_indices: dict[str, int] | None
    score_classes: tuple[int, ...]
    models: tuple[JobModel, ...]
    subjects: tuple[Subject, ...]
    samples: tuple[JobSample, ...]
    cached: tuple[JobCachedMap, ...] = ()
    unexamined: tuple[int, ...] = ()
    """Numbers of samples that nobody knows to be readable: one that is not has no scores."""
    unreadable: tuple[int, ...] = ()
    """Of those that are known not to be."""
    map_sets: tuple[JobMapSet, ...] = ()
    frames: tuple[Frame, ...] = ()
    tables: tuple[JobTable, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The digests of the files that come with the job, in this order."""
        maps = (one.digest for one in self.map_sets if one.digest is not None)
        return tuple(dict.fromkeys((self.archive_digest, *(one.digest for one in self.models), *maps)))

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest, *(one.digest for one in self.map_sets if one.digest is not None)})

    @property
    def unchecked(self) -> str | None:
        return self.archive_digest if any(sample.crc32 is None for sample in self.samples) else None


class ModelJob(_Job):
    """Look deep into an uploaded model and send back its canonical form."""

    kind: Literal["model"] = "model"
    digest: str
    format: ModelFormat
    architecture: str | None
    input_size: InputSize
    target_layer: str | None
    output: Output = CLASSES
    architecture_options: dict[str, Any] = Field(default_factory=dict)
    preprocessing: dict[str, Any]
    weights_key: str | None = None
    ignore_tensors: tuple[str, ...] = ()
    head: Head | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.digest,)


class _ArchiveJob(_Job):
    """Of one archive, which is read in parts."""

    archive_digest: str

    @property
    def inputs(self) -> tuple[str, ...]:
        """The digests of the files that come with the job, in this order."""
        return (self.archive_digest,)

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest})


class ImagesJob(_ArchiveJob):
    """See whether these samples can be decoded."""

    kind: Literal["images"] = "images"
    samples: tuple[JobSample, ...]


class TableJob(_ArchiveJob):
    """Take a Parquet table of images apart; ``table`` says where in the archive it lies."""

    kind: Literal["table"] = "table"
    table: JobSample


class MapsJob(_ArchiveJob):
    """Read these files of a map set."""

    kind: Literal["maps"] = "maps"
    entries: tuple[JobSample, ...]
    sizes: tuple[ImageSize, ...] = ()
    """Of all samples, where a file speaks of many."""
    sigma: float | None = None
    folder: str | None = ""
    """The upload's own, below which samples are named; None where its maps are of other images."""
    mapped: tuple[str, ...] = ()
    """Samples that have a map already, where a file speaks of many."""


class ReferenceJob(_ArchiveJob):
    """Compare what the model gives here with what its owner's code gave."""

    kind: Literal["reference"] = "reference"
    model: JobModel
    class_names: tuple[str, ...] | None
    assumed_options: tuple[str, ...]
    """Names of architecture options whose values nobody requested."""
    samples: tuple[ReferenceSample, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.archive_digest, self.model.digest)


class ViewsJob(_Job):
    """Send the images of these samples in these views, the clean one among them or not.

    ``protocol`` is the subject's. Where a view follows the samples' clean maps, ``maps`` has them as an audit stored
    them, or ``map_set`` says where they lie; ``model`` is there where its network decides about a view, by how far a
    cell of its map reaches.
    """

    kind: Literal["views"] = "views"
    protocol: Protocol
    preprocessing: dict[str, Any]
    views: tuple[str, ...]
    archive_digest: str
    samples: tuple[JobSample, ...]
    maps: tuple[JobMap, ...] = ()
    map_set: JobMapSet | None = None
    model: JobModel | None = None
    tables: tuple[JobTable, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        further = (one.digest for one in (self.model, self.map_set) if one is not None and one.digest is not None)
        return tuple(dict.fromkeys((self.archive_digest, *further)))

    @property
    def in_parts(self) -> frozenset[str]:
        maps = self.map_set.digest if self.map_set is not None else None
        return frozenset(filter(None, (self.archive_digest, maps)))

    @property
    def unchecked(self) -> str | None:
        return self.archive_digest if any(sample.crc32 is None for sample in self.samples) else None


AnyJob = ShardJob | ModelJob | ImagesJob | TableJob | MapsJob | ReferenceJob | ViewsJob
Job = Annotated[AnyJob, Field(discriminator="kind")]
JOB: TypeAdapter[AnyJob] = TypeAdapter(Job)
