"""The lives of what the service keeps, each by its states."""

from enum import StrEnum


class RunStage(StrEnum):
    """Where a version is on its way from its registry to its verdict; the last two are its ends."""

    IMPORTING = "importing"
    AUDITING = "auditing"
    WRITING = "writing"
    MOVING = "moving"
    LOGGING = "logging"
    DONE = "done"
    FAILED = "failed"


class ResourceStatus(StrEnum):
    """The life of an uploaded model or data set."""

    AWAITING_CONTENT = "awaiting_content"
    FETCHING = "fetching"
    NEEDS_DESCRIPTION = "needs_description"
    VALIDATING = "validating"
    READY = "ready"
    REJECTED = "rejected"


class SampleStatus(StrEnum):
    """Whether an image can be audited."""

    READY = "ready"
    UNREADABLE = "unreadable"
    UNEXAMINED = "unexamined"
    """Listed where it lies; the first audit that reads it tells."""


TAKEN = (SampleStatus.READY, SampleStatus.UNEXAMINED)
"""Of samples that audits take when a data set is ready."""


class AuditStatus(StrEnum):
    """The life of an audit."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


LIVE = (AuditStatus.QUEUED, AuditStatus.RUNNING)
"""Of audits that still go on."""
ENDED = (AuditStatus.SUCCEEDED, AuditStatus.FAILED, AuditStatus.CANCELLED)
"""Of all others."""


class ShardStatus(StrEnum):
    """The life of a contiguous range of an audit's samples."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class OwedStatus(StrEnum):
    """The life of what a worker owes to whoever asked: a comparison, a rescoring, an archive of changed images."""

    QUEUED = "queued"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DeliveryStatus(StrEnum):
    """The life of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
