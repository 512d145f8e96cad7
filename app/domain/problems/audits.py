"""Why an audit is not what is asked of it, in the state that it is in."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Gone, Unprocessable

FAILED = ProblemType(Conflict, "audit-failed", "The audit failed: {code}.")
CANCELLED = ProblemType(Conflict, "audit-cancelled", "The audit was cancelled.")
NOT_FINISHED = ProblemType(Conflict, "audit-not-finished", "The audit is {status}.")
STILL_LIVE = ProblemType(Conflict, "audit-not-finished", "The audit is {status}; cancel it first.")
SCORES_REMOVED = ProblemType(
    Gone, "scores-removed", "The scores per sample were removed as old; the results are still there."
)
MAPS_REMOVED = ProblemType(
    Gone, "maps-removed", "The salience maps were removed as old; scores and results are still there."
)
MAPS_NOT_KEPT = ProblemType(Conflict, "maps-not-kept", "The audit kept no maps.")
PARTIAL_TOO_LARGE = ProblemType(Conflict, "partial-too-large", "Results so far are made of at most {most} samples.")
MODEL_ID_REQUIRED = ProblemType(
    Unprocessable, "model-id-required", "The audit has several models; name one by model_id."
)
UNKNOWN_VIEW = ProblemType(Unprocessable, "unknown-view", "The audit has no such measure and view.")
ORDER_NEEDS_ONE_VIEW = ProblemType(
    Unprocessable, "order-needs-one-view", "To order by score, name a measure and one of its views."
)
MAPS_NOT_NATIVE = ProblemType(
    Unprocessable,
    "maps-not-native",
    "Maps of {method} are as large as the image: there are no native ones to compare.",
)
MAPS_TOO_SMALL = ProblemType(
    Unprocessable, "maps-too-small", "{similarity} needs maps of {least} cells a side; these have {longest}."
)
NOTHING_TO_RESCORE = ProblemType(
    Unprocessable,
    "nothing-to-rescore",
    "None of the audit's measures compares native maps; noise_reaction, degradation and stability do.",
)
