"""Why audits are not compared, and why a comparison is not what is asked of it."""

from app.domain.problems.problem import Problem
from app.errors import Conflict, Gone, Unprocessable

NOT_FINISHED = Problem(Conflict, "comparison-not-finished", "The comparison is {status}.")
RUNNING = Problem(Conflict, "comparison-running", "The comparison is being computed; delete it when it has ended.")
AUDITS_DELETED = Problem(
    Gone, "audits-deleted", "All audits of the comparison were deleted; its tables are still there."
)
UNKNOWN_AUDITS = Problem(Unprocessable, "unknown-audits", "No such audits: {ids}.")
AUDITS_DIFFER = Problem(Unprocessable, "audits-differ", "The audits differ in {fields}.")
TOO_FEW_SIDES = Problem(
    Unprocessable, "too-few-sides", "A comparison needs two audits, or one of several models by model."
)
MAP_SETS_ALONE = Problem(
    Unprocessable, "too-few-sides", "A comparison is of models: one of the audits has map sets alone."
)
TOO_MANY_SIDES = Problem(Unprocessable, "too-many-sides", "A comparison may have {most} sides; this one has {sides}.")
