"""What a child and the processes that decode for it say to each other: encoded pictures there, pixels back."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from app.domain.models.input_spec import InputSpec
from worker.wire.channel import ChannelClosed, Frame
from worker.wire.message import Message
from worker.wire.replies import Failed, Ready


class Picture(Message):
    """How big is it? Behind it the encoded picture, which is then wanted in each of these forms."""

    kind: Literal["picture"] = "picture"
    specs: tuple[InputSpec, ...]


class Decode(Message):
    """There is room for the picture now."""

    kind: Literal["decode"] = "decode"


class Sized(Message):
    """Its pixels; None where only its decoder could tell."""

    kind: Literal["sized"] = "sized"
    pixels: int | None = Field(ge=0)


class Pixels(Message):
    """Behind it (H, W, 3) uint8 of each spec, one after the other."""

    kind: Literal["pixels"] = "pixels"


_Answer = Ready | Sized | Pixels | Failed
_ANSWER: TypeAdapter[_Answer] = TypeAdapter(Annotated[_Answer, Field(discriminator="kind")])


def read_answer(frame: Frame) -> _Answer:
    """Raises ChannelClosed where the frame holds no answer."""
    try:
        return _ANSWER.validate_json(frame.body)
    except ValueError as error:
        raise ChannelClosed("a frame that is no answer") from error
