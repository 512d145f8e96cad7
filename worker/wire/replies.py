"""What the child answers. The parent takes nothing on trust: every reply is checked against these forms."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from app.domain.vocabulary import DeviceClass, SandboxLayer
from worker.wire.channel import ChannelClosed, Frame
from worker.wire.facts import (
    ChangedImage,
    FidelityFacts,
    ImageFacts,
    MapFacts,
    ModelFacts,
    TableFacts,
    TableRow,
)
from worker.wire.message import Finite

Numbers = list[float | None]
LONGEST_LINE = 8000


class Ready(Finite):
    """In its sandbox; waits for a job. ``missing`` are those that the operator allowed to be.

    ``device_class`` is where it computes, to be compared with where its parent takes it to; ``decoders`` are the
    process ids of those that decode pictures for it.
    """

    kind: Literal["ready"] = "ready"
    device_class: DeviceClass
    missing: tuple[SandboxLayer, ...] = ()
    decoders: tuple[int, ...] = ()


class Logged(Finite):
    """A line for the worker's log, from whichever logger of the child."""

    kind: Literal["logged"] = "logged"
    logger: str = Field(max_length=200)
    level: int = Field(ge=0, le=50)
    message: str = Field(max_length=LONGEST_LINE)


class Progress(Finite):
    """So many samples are done, or a step before the first; the clock of the limits starts anew."""

    kind: Literal["progress"] = "progress"
    done: int = 0


class Alive(Finite):
    """A part of a batch is done, which is many passes: the clock of the limits starts anew."""

    kind: Literal["alive"] = "alive"


class ScoresRow(Finite):
    """One row of ``sample_scores``, without ids: ``number`` counts the job's samples. Behind it the maps' bytes."""

    kind: Literal["row"] = "row"
    number: int
    model_ordinal: int
    scores: Numbers
    controls: Numbers | None = None
    undefined: list[str | None] | None = None
    predicted: list[int] | None = None
    class_scores: Numbers | None = None
    pairs: Numbers | None = None
    map_height: int | None = None
    map_width: int | None = None


class Weights(Finite):
    """The next part of the model's canonical form: the bytes behind it."""

    kind: Literal["weights"] = "weights"


class Done(Finite):
    """The job is finished; the child waits for another."""

    kind: Literal["done"] = "done"


FailureKind = Literal["input", "transient", "gpu-memory", "device", "memory", "space", "sandbox", "crash"]


class Failed(Finite):
    """The job ended with a failure; after the last six the child is not used again."""

    kind: Literal["failed"] = "failed"
    failure: FailureKind
    code: str
    detail: str
    facts: dict[str, JsonValue] = Field(default_factory=dict)


_Found = ScoresRow | ModelFacts | ImageFacts | TableFacts | TableRow | ChangedImage | MapFacts | FidelityFacts | Weights
Reply = Ready | Logged | Progress | Alive | _Found | Done | Failed
_REPLY: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="kind")])


def read_reply(frame: Frame) -> Reply:
    """Raises ChannelClosed where the frame holds no reply."""
    try:
        return _REPLY.validate_json(frame.body)
    except ValueError as error:
        raise ChannelClosed("a frame that is no reply") from error
