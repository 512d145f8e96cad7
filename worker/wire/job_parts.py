"""What jobs speak of: models, samples, maps, and where their bytes lie."""

from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from app.domain.models.heads import Head
from app.domain.models.input_size import InputSize
from app.domain.models.outputs import CLASSES, Output
from app.imaging.entries import ArchiveEntry, StoredSample
from worker.wire.message import Message


class StoredModel(Protocol):
    """A model's row, once a worker has looked into it."""

    @property
    def stored_digest(self) -> str | None: ...
    @property
    def architecture(self) -> str | None: ...
    @property
    def description(self) -> dict[str, Any]: ...
    @property
    def preprocessing(self) -> dict[str, Any]: ...
    @property
    def target_layer(self) -> str | None: ...
    @property
    def output(self) -> dict[str, Any] | None: ...
    @property
    def architecture_options(self) -> dict[str, Any]: ...
    @property
    def head(self) -> dict[str, Any] | None: ...


class JobModel(Message):
    """A model of an audit; ``digest`` is that of its canonical safetensors or graph."""

    digest: str
    architecture: str | None
    """None: the file is an ONNX graph, which is the network itself."""
    preprocessing: dict[str, Any]
    target_layer: str | None
    output: Output = CLASSES
    architecture_options: dict[str, Any] = Field(default_factory=dict)
    head: Head | None = None

    @classmethod
    def of(cls, model: StoredModel) -> Self:
        """The network is the one that the weights were found to be of; models from before a worker told have what was
        requested."""
        architecture: str | None = model.description.get("architecture", {}).get("value", model.architecture)
        return cls(
            digest=model.stored_digest or "",
            architecture=architecture,
            preprocessing=model.preprocessing,
            target_layer=model.target_layer,
            output=Output.of(model.output),
            architecture_options=model.architecture_options,
            head=None if model.head is None else Head.model_validate(model.head),
        )


class JobSample(Message):
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


class JobTable(Message):
    """A Parquet table of a listing, of which samples are rows: the object's number, and its bytes."""

    number: int
    size: int


class JobMap(Message):
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


class JobGivenMap(Message):
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


class JobMapSet(Message):
    """The maps of one map set, of the job's samples; ``digest`` is None where none are there yet.

    ``input_size`` is that of the handed out images that they are of, None of maps of the samples' own images.
    """

    digest: str | None
    input_size: InputSize | None = None
    maps: tuple[JobGivenMap, ...]


Frame = tuple[float, float, float, float]
"""What models see of an image: left, top, right and bottom as shares of its width and height."""


class ImageSize(Message):
    """How large a sample's image is, for files that speak of it by name."""

    name: str
    width: int
    height: int


class ReferenceSample(Message):
    """An image and what the owner's own code gave for it: a class, by its index, or outputs, or both."""

    sample: JobSample
    predicted: int | None
    outputs: tuple[float, ...] | None
