"""What a finding is."""

from enum import StrEnum
from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class Level(StrEnum):
    """How grave: a sign of a shortcut, a number that does not count, or something to know."""

    EXPOSES = "exposes"
    SAYS_NOTHING = "says-nothing"
    NOTE = "note"


class Finding(TypedDict):
    """Something that a reader of the results should know."""

    code: Annotated[str, Field(description="What kind of finding it is.", examples=["not-above-control"])]
    level: Level
    measure: NotRequired[Annotated[str, Field(description="The measure that it is about, where it is about one.")]]
    text: Annotated[str, Field(description="A sentence for people.")]
    evidence: Annotated[dict[str, Any], Field(description="The numbers behind it.")]
