"""What the child is asked to do. It has no database: a job says everything."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from app.domain.heads import Head
from app.domain.input_size import InputSize
from app.domain.outputs import CLASSES, Output
from app.domain.protocol import Protocol
from app.domain.subjects import Subject
from app.domain.vocabulary import ModelFormat, SandboxLayer
from app.imaging.entries import ArchiveEntry, StoredSample
from app.settings import Settings

SETTINGS = frozenset(
    {
        "device",
        "threads",
        "log_level",
        "max_entry_bytes",
        "max_pixels",
        "min_side",
        "max_side",
    }
)


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Start(_Message):
    """What a child begins with: settings without credentials, what it may take, which sandbox layers may be missing."""

    settings: dict[str, Any]
    scratch: Path
    memory_bytes: int
    gpu_memory_share: float
    """Of a GPU; warm children and the one at work share it."""
    file_bytes: int
    decoders: int
    """Processes that decode pictures for it; 0: it decodes them itself."""
    allowed_missing: frozenset[SandboxLayer]

    @classmethod
    def of(cls, settings: Settings, *, scratch: Path, memory_bytes: int, decoders: int = 0) -> "Start":
        return cls(
            settings=settings.model_dump(mode="json", include=set(SETTINGS)),
            scratch=scratch,
            memory_bytes=memory_bytes,
            gpu_memory_share=settings.child_gpu_memory_share / (settings.warm_children + 1),
            file_bytes=settings.child_scratch_bytes,
            decoders=decoders,
            allowed_missing=settings.allow_missing_sandbox_layers,
        )

    def to_settings(self) -> Settings:
        return Settings(**self.settings)


class _Job(_Message):
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


class JobModel(_Message):
    """A model of an audit; ``digest`` is that of its canonical safetensors or graph."""

    digest: str
    architecture: str | None
    """None: the file is an ONNX graph, which is the network itself."""
    preprocessing: dict[str, Any]
    target_layer: str | None
    output: Output = CLASSES
    architecture_options: dict[str, Any] = Field(default_factory=dict)
    head: Head | None = None


class JobSample(_Message):
    """A sample and where its bytes lie within the archive."""

    name: str
    label: str | None
    offset: int
    stored_size: int
    size: int
    compression: int
    crc32: int | None

    @classmethod
    def of(cls, sample: StoredSample) -> Self:
        return cls(**{name: getattr(sample, name) for name in cls.model_fields})

    @classmethod
    def of_entry(cls, entry: ArchiveEntry) -> Self:
        """Of an archive that is no data set's: nothing has a label."""
        place = {name: getattr(entry, name) for name in cls.model_fields if name != "label"}
        return cls(label=None, **place)


class JobMap(_Message):
    """A stored map of sample ``number`` of the job; ``native`` is hex of float32."""

    number: int
    native: str
    map_height: int
    map_width: int

    def cells(self) -> NDArray[np.float32]:
        """(h, w)."""
        cells = np.frombuffer(bytes.fromhex(self.native), "<f4").reshape(self.map_height, self.map_width)
        return cells.astype(np.float32)


class JobCachedMap(JobMap):
    """The clean map that an earlier audit stored."""

    model_ordinal: int
    predicted: int
    class_scores: tuple[float, ...]


class JobGivenMap(_Message):
    """A given map of sample ``number`` of the job under ``view``: where its float32 numbers lie, row by row, and the
    fixations that it was made of, x, y, x, y, ... as shares of the image."""

    name: str
    number: int
    view: str
    height: int
    width: int
    offset: int
    stored_size: int
    size: int
    compression: int
    crc32: int
    fixations: tuple[float, ...] | None = None


class JobMapSet(_Message):
    """The maps of one map set, of the job's samples; ``digest`` is None where none are there yet.

    ``input_size`` is that of the handed out images that they are of, None of maps of the samples' own images.
    """

    digest: str | None
    input_size: InputSize | None = None
    maps: tuple[JobGivenMap, ...]


Frame = tuple[float, float, float, float]
"""What models see of an image: left, top, right and bottom as shares of its width and height."""


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


class ImagesJob(_Job):
    """See whether these samples can be decoded."""

    kind: Literal["images"] = "images"
    archive_digest: str
    samples: tuple[JobSample, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.archive_digest,)

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest})


class TableJob(_Job):
    """Take a Parquet table of images apart; ``table`` says where in the archive it lies."""

    kind: Literal["table"] = "table"
    archive_digest: str
    table: JobSample

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.archive_digest,)

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest})


class ImageSize(_Message):
    """How large a sample's image is, for files that speak of it by name."""

    name: str
    width: int
    height: int


class MapsJob(_Job):
    """Read these files of a map set."""

    kind: Literal["maps"] = "maps"
    archive_digest: str
    entries: tuple[JobSample, ...]
    sizes: tuple[ImageSize, ...] = ()
    """Of all samples, where a file speaks of many."""
    sigma: float | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.archive_digest,)

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest})


class ReferenceSample(_Message):
    """An image and what the owner's own code gave for it: a class, by its index, or outputs, or both."""

    sample: JobSample
    predicted: int | None
    outputs: tuple[float, ...] | None


class ReferenceJob(_Job):
    """Compare what the model gives here with what its owner's code gave."""

    kind: Literal["reference"] = "reference"
    model: JobModel
    class_names: tuple[str, ...] | None
    assumed_options: tuple[str, ...]
    """Names of architecture options whose values nobody requested."""
    archive_digest: str
    samples: tuple[ReferenceSample, ...]

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.archive_digest, self.model.digest)

    @property
    def in_parts(self) -> frozenset[str]:
        return frozenset({self.archive_digest})


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
