"""What a child found in what was uploaded."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from app.domain.models.fidelity import Fidelity
from app.domain.models.heads import Head
from app.domain.vocabulary import CamMethod, DeviceClass, Layout, MapDoubt, Origin
from worker.wire.message import Finite


class LayerFacts(Finite):
    """A layer whose salience can be taken."""

    name: str
    channels: int
    height: int
    width: int
    layout: Layout = Layout.NCHW
    prefix_tokens: int = Field(0, ge=0)
    not_possible: tuple[CamMethod, ...] = ()


class SpeedFacts(Finite):
    """How fast the child made salience maps."""

    device_class: DeviceClass
    seconds_per_image: float = Field(gt=0)
    micro_batch: int
    seconds_per_head: float | None = Field(None, ge=0)
    seconds_of_bias_maps: float | None = Field(None, ge=0)


class DescribedFact(Finite):
    """A fact of the model that nobody requested as it is: read off the file, or assumed."""

    value: JsonValue
    origin: Origin
    note: str | None = Field(None, max_length=1000)


class ModelFacts(Finite):
    """What the probe found."""

    kind: Literal["model"] = "model"
    classes: int = Field(ge=1)
    parameter_count: int
    target_layer: str
    map_channels: int
    map_height: int
    map_width: int
    candidate_layers: tuple[LayerFacts, ...]
    in_place_operations: tuple[str, ...]
    final_softmax: bool
    cam_methods: tuple[CamMethod, ...]
    speed: SpeedFacts | None
    description: dict[str, DescribedFact] = Field(default_factory=dict)
    architecture_options: dict[str, JsonValue] = Field(default_factory=dict)
    head: Head | None = None

    def to_dict(self) -> dict[str, Any]:
        """Of the probe alone."""
        return self.model_dump(mode="json", exclude={"kind", "description", "architecture_options", "head"})

    def described(self, before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """As the model's resource shows it, over what was told ``before``: what was asked for keeps who asked for it,
        be it the request, a file that came with it, or a registry.
        """
        found = dict(before)
        for name, fact in self.description.items():
            asked = before.get(name, {}) if fact.origin is Origin.REQUEST else {}
            own = {"value": fact.value, "from": fact.origin.value} | ({"note": fact.note} if fact.note else {})
            found[name] = own | {key: asked[key] for key in ("from", "note") if key in asked}
        return found


class ImageFacts(Finite):
    """What there is to say of a sample of the job: its picture's size and its content, or what is wrong with it.

    ``misnamed``: it can be decoded, but its name promises another kind of image. ``perceptual_hash``: 64 bits, none of
    a picture without anything to see.
    """

    kind: Literal["image"] = "image"
    number: int
    width: int | None = Field(None, ge=1)
    height: int | None = Field(None, ge=1)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    misnamed: bool = False
    first_of_several: bool = False
    perceptual_hash: str | None = Field(None, pattern="^[0-9a-f]{16}$")
    code: str | None = Field(None, pattern="^sample-[a-z-]+$", max_length=60)
    detail: str = Field("", max_length=1000)

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        if (self.code is None) != (None not in {self.width, self.height, self.sha256}):
            raise ValueError("neither a picture nor a problem")
        return self


class TableFacts(Finite):
    """Of a Parquet table: which columns hold images and labels, which none can be grouped by."""

    kind: Literal["table"] = "table"
    image: str
    label: str | None
    left_out: tuple[str, ...] = Field(max_length=20)
    rows: int = Field(ge=0)
    group_bytes: int = Field(ge=0)
    """Of its largest row group, uncompressed."""


class TableRow(Finite):
    """The next row of the table: the image's bytes behind it."""

    kind: Literal["table-row"] = "table-row"
    extension: str = Field(pattern="^[a-z0-9]{2,5}$")
    fields: dict[str, str | int | float | bool | None]


class ChangedImage(Finite):
    """Sample ``number`` of the job in one view: a PNG behind it."""

    kind: Literal["changed-image"] = "changed-image"
    number: int
    view: str


def _storable(text: object) -> object:
    """What files say, as the database takes it."""
    if not isinstance(text, str):
        return text
    return text.encode(errors="replace").decode().replace("\0", "\ufffd")[:LONGEST_NAME]


LONGEST_NAME = 1024
FileText = Annotated[str, BeforeValidator(_storable)]


class MapFacts(Finite):
    """A map that file ``number`` of the job holds, of the image that it calls ``name``, with its numbers behind it; or
    why there is none; or that it was not drawn, since no image has that name, several have, or one has a map already.
    ``fixations`` are x, y, x, y, ... as shares of the image."""

    kind: Literal["map"] = "map"
    number: int = Field(ge=0)
    name: FileText
    height: int | None = Field(None, ge=1)
    width: int | None = Field(None, ge=1)
    crc32: int | None = None
    fixations: tuple[float, ...] | None = None
    was_negative: bool = False
    was_larger: bool = False
    doubt: MapDoubt | None = None
    is_in_vain: bool = False
    code: str | None = Field(None, pattern="^map-[a-z-]+$", max_length=60)
    detail: FileText = Field("", max_length=1000)

    @model_validator(mode="after")
    def one_or_the_other(self) -> Self:
        is_map = None not in {self.height, self.width, self.crc32}
        if [is_map, self.code is not None, self.is_in_vain].count(True) != 1:
            raise ValueError("neither a map nor a problem nor in vain")
        return self


class FidelityFacts(Finite):
    """How the owner's predictions agree with those made here."""

    kind: Literal["fidelity"] = "fidelity"
    fidelity: Fidelity
