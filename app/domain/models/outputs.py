"""What the numbers that a network puts out mean."""

import math
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.vocabulary import OutputKind


class Output(BaseModel):
    """How a model's outputs are read.

    `classes`: one logit a class, two or more. `binary`: a single logit z for two classes, the negative one first, and
    the positive one where sigmoid(z) is above the threshold. `multilabel`: a logit for each label, independent of the
    others, and the label is there where its sigmoid is above the threshold.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: OutputKind = OutputKind.CLASSES
    threshold: float = Field(0.5, gt=0, lt=1, allow_inf_nan=False, description="Of the sigmoid; not for `classes`.")

    @model_validator(mode="after")
    def classes_have_no_threshold(self) -> Self:
        if self.kind is OutputKind.CLASSES and self.threshold != 0.5:
            raise ValueError("a threshold is for binary outputs; of classes the highest logit counts")
        return self

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Self:
        """As a model's row has it: None where it was registered before there was a choice."""
        return cls() if stored is None else cls.model_validate(stored)

    @property
    def threshold_logit(self) -> float:
        """The logit whose sigmoid is the threshold."""
        return math.log(self.threshold / (1 - self.threshold))

    def classes_of(self, numbers: int) -> int:
        """How many classes a network that puts out ``numbers`` numbers an image tells apart."""
        return 2 if self.kind is OutputKind.BINARY else numbers

    def check_names(self, class_names: list[str] | None) -> None:
        """Raises ValueError where so many names cannot be right, whatever the network."""
        count = None if class_names is None else len(class_names)
        if self.kind is OutputKind.BINARY and count not in {None, 2}:
            raise ValueError("a binary model has two class names, the negative one first: both are shown in results")
        if self.kind is OutputKind.CLASSES and count == 1:
            raise ValueError(
                'two classes or more; for a network with one logit send "output": {"kind": "binary"} and two class '
                "names, the negative one first"
            )


CLASSES = Output()
"""One logit a class."""
