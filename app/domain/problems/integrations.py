"""Why what speaks with other systems is not changed as it is asked: connections, hooks, runs of policies, webhooks."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Unavailable

CONNECTION_IN_USE = ProblemType(Conflict, "connection-in-use", "A {noun} refers to the connection; delete that first.")
RUN_NOT_FAILED = ProblemType(Conflict, "run-not-failed", "The run is {stage}; only one that failed can be tried again.")
DELIVERY_UNDER_WAY = ProblemType(
    Conflict, "delivery-under-way", "The delivery is being followed; wait for its outcome."
)
WEBHOOK_DISABLED = ProblemType(
    Conflict, "webhook-disabled", "The webhook is disabled and gets nothing: PATCH it with enabled true first."
)
KEYS_MISSING = ProblemType(
    Unavailable,
    "encryption-keys-missing",
    "Secrets cannot be kept: the operator has to set ENCRYPTION_KEYS.",
)
