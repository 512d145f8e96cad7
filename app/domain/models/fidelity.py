"""Whether a model here gives what its owner's own code gave: the outcome of a reference, and how close is close enough.

The bound: an output may differ by ``SHARE`` of the outputs' spread over the reference's images. Other arithmetic (half
precision, TF32, another resize with antialias) stays below it; another order of channels, range, crop or interpolation
does not. A probability may differ by what that makes of it, and by what was lost when it was written down.
"""

from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

MOST_IMAGES = 256
FEWEST_IMAGES = 8
"""For `verified`, with two predicted classes or more among them."""
SHARE = 0.05
ENTRY = "outputs.jsonl"
NO_REFERENCE = "unverified: its owner sent no predictions to compare with"


class FidelityStatus(StrEnum):
    """What the owner's own predictions say of a model."""

    VERIFIED = "verified"
    CONTRADICTED = "contradicted"
    UNVERIFIED = "unverified"


class Compared(StrEnum):
    """What the owner's code gave; of outputs, which kind is found by their values."""

    CLASSES = "classes"
    LOGITS = "logits"
    PROBABILITIES = "probabilities"
    LOG_PROBABILITIES = "log_probabilities"


class Fidelity(BaseModel):
    """How the owner's predictions agree with what is computed here."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    status: FidelityStatus = Field(
        description="`verified`: at least 8 images of two predicted classes or more, and all agree. `contradicted`: at "
        "least 8 images, and some do not; audits are refused. `unverified`: too few to say, or `problem` says why."
    )
    images: int = Field(0, ge=0, le=MOST_IMAGES)
    agreeing: int = Field(
        0, ge=0, le=MOST_IMAGES, description="Images whose class and outputs are the owner's, within the bound."
    )
    predicted_classes: int = Field(0, ge=0, description="Distinct classes among the owner's predictions.")
    compared: Compared | None = None
    largest_difference: float | None = Field(
        None, description="Of one output from the owner's, in the owner's units; null where only classes were given."
    )
    bound: float | None = Field(None, description="How far a logit may lie from the owner's; null for classes.")
    suggestion: str | None = Field(None, description="What the disagreement looks like, found by trying.")
    suggested_change: dict[str, Any] | None = Field(
        None, description="The fields to register the model with instead, where one change explains everything."
    )
    problem: dict[str, Any] | None = Field(None, description="Why the reference could not be used: `code`, `detail`.")

    @classmethod
    def unusable(cls, problem: dict[str, Any]) -> Self:
        """Nothing was compared."""
        return cls(status=FidelityStatus.UNVERIFIED, problem=problem)

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Self | None:
        """As a model's row has it."""
        return None if stored is None else cls.model_validate(stored)

    def in_words(self) -> str:
        """One line for reports and cards."""
        counts = f"{self.agreeing} of {self.images} of the owner's predictions agree"
        return f"{self.status}: {self.problem['detail'] if self.problem else counts}"


def status_of(images: int, agreeing: int, predicted_classes: int) -> FidelityStatus:
    """What so many comparisons say."""
    if images < FEWEST_IMAGES:
        return FidelityStatus.UNVERIFIED
    if agreeing < images:
        return FidelityStatus.CONTRADICTED
    return FidelityStatus.VERIFIED if predicted_classes >= 2 else FidelityStatus.UNVERIFIED
