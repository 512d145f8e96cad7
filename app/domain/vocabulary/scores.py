"""What is scored, grouped and compared."""

from enum import StrEnum


class ClassScore(StrEnum):
    """What accuracy's ROC curves rank by: softmax, or the authors' sigmoid of the last logit."""

    SOFTMAX = "softmax"
    SIGMOID = "sigmoid"


class UndefinedReason(StrEnum):
    """Why a sample has no score."""

    CONSTANT_MAP = "constant-map"
    CONSTANT_VIEW_MAP = "constant-view-map"
    NONFINITE_OUTPUT = "nonfinite-output"
    NO_TARGET = "no-target"
    FILL_SUFFICES = "fill-suffices"
    ONE_CELL = "one-cell"
    UNREADABLE = "unreadable"
    NO_MAP = "no-map"
    NO_FIXATIONS = "no-fixations"
    NO_CELL_WITHOUT_FIXATION = "no-cell-without-fixation"
    MAP_TOO_SMALL = "map-too-small"
    TOO_LITTLE_IN_COMMON = "too-little-in-common"
    MAP_TOO_LARGE = "map-too-large"


Reasons = tuple[UndefinedReason | None, ...]
"""Of N samples; None where there is a score."""


class GroupBy(StrEnum):
    """How summaries are grouped."""

    TOTAL = "total"
    LABEL = "label"
    SOURCE = "source"


class ComparisonUnit(StrEnum):
    """What stands on each side of a comparison: an audit, as the mean over its models, or every model."""

    AUDIT = "audit"
    MODEL = "model"


ACROSS_MODELS = -1
"""The model ordinal of the row across models: stability and the pairs behind it."""

CLEAN = "clean"
"""The image as it is: the condition that every view is compared with."""
