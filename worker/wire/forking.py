"""What the worker and its forkserver say to each other."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from worker.wire.channel import ChannelClosed, Frame
from worker.wire.message import Message
from worker.wire.start import Start


class ForkRequest(Message):
    """A child is wanted; with it come its end of a socket and of its output's pipe."""

    kind: Literal["fork"] = "fork"
    number: int
    start: Start


class WaitRequest(Message):
    """How has this child ended? Waits so many seconds for its end."""

    kind: Literal["wait"] = "wait"
    pid: int
    seconds: float = Field(ge=0)


class Forked(Message):
    """The answer to the fork request of this number."""

    kind: Literal["forked"] = "forked"
    number: int
    pid: int


class Waited(Message):
    """The answer to a wait request; ``status`` as subprocess gives it, None where the child lives on."""

    kind: Literal["waited"] = "waited"
    pid: int
    status: int | None


REQUEST: TypeAdapter[ForkRequest | WaitRequest] = TypeAdapter(
    Annotated[ForkRequest | WaitRequest, Field(discriminator="kind")]
)
_ANSWER: TypeAdapter[Forked | Waited] = TypeAdapter(Annotated[Forked | Waited, Field(discriminator="kind")])


def read_answer(frame: Frame) -> Forked | Waited:
    """Raises ChannelClosed where the frame holds no answer."""
    try:
        return _ANSWER.validate_json(frame.body)
    except ValueError as error:
        raise ChannelClosed("a frame that is no answer") from error
