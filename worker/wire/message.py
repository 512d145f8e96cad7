"""What parent and child send each other: JSON, of which nothing may be left over."""

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """One of them, or part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
