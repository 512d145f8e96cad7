"""What the worker and its nursery say to each other."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from worker.wire.channel import ChannelClosed, Frame
from worker.wire.jobs import Start


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Birth(_Message):
    """A child is wanted; with it come its end of a socket and of its output's pipe."""

    kind: Literal["birth"] = "birth"
    number: int
    start: Start


class Inquiry(_Message):
    """How has this child ended? Waits so many seconds for its end."""

    kind: Literal["inquiry"] = "inquiry"
    pid: int
    seconds: float = Field(ge=0)


class Born(_Message):
    """The answer to a birth of this number."""

    kind: Literal["born"] = "born"
    number: int
    pid: int


class Ended(_Message):
    """The answer to an inquiry; ``status`` as subprocess gives it, None where the child lives on."""

    kind: Literal["ended"] = "ended"
    pid: int
    status: int | None


REQUEST: TypeAdapter[Birth | Inquiry] = TypeAdapter(Annotated[Birth | Inquiry, Field(discriminator="kind")])
_ANSWER: TypeAdapter[Born | Ended] = TypeAdapter(Annotated[Born | Ended, Field(discriminator="kind")])


def read_answer(frame: Frame) -> Born | Ended:
    """Raises ChannelClosed where the frame holds no answer."""
    try:
        return _ANSWER.validate_json(frame.body)
    except ValueError as error:
        raise ChannelClosed("a frame that is no answer") from error
