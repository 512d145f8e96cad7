"""Why an audit hands out no changed images."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Unprocessable

VIEWS_FAILED = ProblemType(Conflict, "views-failed", "The images could not be made: {why}")
VIEWS_TOO_LARGE = ProblemType(
    Unprocessable,
    "views-too-large",
    "The images may take {bytes} bytes, and an archive {most} (MAX_VIEWS_BYTES): set a sample_limit.",
)
INPUT_SIZE_REQUIRED = ProblemType(
    Unprocessable, "input-size-required", "The map set says of no image size: register one with input_size."
)
NOTHING_TO_HAND_OUT = ProblemType(
    Unprocessable,
    "nothing-to-hand-out",
    "None of the audit's measures changes images by their clean maps; degradation does.",
)
NO_CLEAN_MAPS = ProblemType(
    Conflict, "map-set-not-ready", "The map set {id} has no clean maps yet: send those of the images first."
)
