"""The fields that people may set and change of anything they made."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.http.problems import problem_responses
from app.http.schemas import Metadata, Name

CHANGE_PROBLEMS = problem_responses(400, 404, 413, 415, 422)

Text = Annotated[str, StringConstraints(max_length=10_000), Field(description="Yours, in words.")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Alias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,99}$")]


VersionName = Annotated[
    str, StringConstraints(min_length=1, max_length=100), Field(description="Left out, the name's next number.")
]
VERSION = "Of those that have its name: `1`, `2`, ..., or what was given."


def _once_each(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


Tags = Annotated[list[Tag], Field(max_length=50, description="To find it by."), AfterValidator(_once_each)]
Aliases = Annotated[
    list[Alias],
    Field(max_length=50, description="Each names one version of the name: `champion`. Taken from the one that has it."),
    AfterValidator(_once_each),
]


class Change(BaseModel):
    """What is named is changed, everything else stays; a ``null`` description is taken away."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Text | None = None
    metadata: Metadata | None = None
    tags: Tags | None = None

    @model_validator(mode="after")
    def something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        if any(getattr(self, field) is None for field in self.model_fields_set - self._emptied()):
            raise ValueError("only the description can be null")
        return self

    def _emptied(self) -> set[str]:
        return {"description"}

    def values(self) -> dict[str, Any]:
        """By the columns of a row."""
        columns = {"description": "about", "metadata": "extra"}
        return {columns.get(field, field): getattr(self, field) for field in self.model_fields_set}


class VersionedChange(Change):
    """Of a name that has versions; renamed, it becomes the next version of the other name."""

    aliases: Aliases | None = None


class AuditChange(Change):
    """An audit's name can be taken away."""

    def _emptied(self) -> set[str]:
        return {"description", "name"}
