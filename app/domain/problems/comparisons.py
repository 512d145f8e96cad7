"""Why audits are not compared, and why a comparison is not what is asked of it."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Gone, Unprocessable

NOT_FINISHED = ProblemType(Conflict, "comparison-not-finished", "The comparison is {status}.")
RUNNING = ProblemType(Conflict, "comparison-running", "The comparison is being computed; delete it when it has ended.")
AUDITS_DELETED = ProblemType(
    Gone, "audits-deleted", "All audits of the comparison were deleted; its tables are still there."
)
UNKNOWN_AUDITS = ProblemType(Unprocessable, "unknown-audits", "No such audits: {ids}.")
AUDITS_DIFFER = ProblemType(Unprocessable, "audits-differ", "The audits differ in {fields}.")
TOO_FEW_SIDES = ProblemType(
    Unprocessable, "too-few-sides", "A comparison needs two audits, or one of several models by model."
)
MAP_SETS_ALONE = ProblemType(
    Unprocessable, "too-few-sides", "A comparison is of models: one of the audits has map sets alone."
)
TOO_MANY_SIDES = ProblemType(
    Unprocessable, "too-many-sides", "A comparison may have {most} sides; this one has {sides}."
)
