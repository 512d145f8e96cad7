"""What parent and child send each other: JSON, of which nothing may be left over."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One of them, or part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Finite(Message):
    """One whose numbers are all finite."""

    model_config = ConfigDict(allow_inf_nan=False)
