"""What a version's registry is told of its audit."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.repository import get_audit, results_of
from app.db.tables import PolicyRunRow
from app.domain.gates.stored import Outcome
from app.domain.results.headline import headline, silent_headlines
from app.errors import NotFound
from app.hooks.events import OURS
from app.policies.schemas import Policy

NOT_JUDGED = "not judged"
"""The verdict of an audit without a gate."""
NO_BASELINE = "There was no baseline yet, so that the gate was not asked."
SILENT = " (says nothing)"
"""Behind a number that must not be compared: no number travels without that."""


@dataclass(frozen=True)
class Words:
    """Tags, and the alias that may move here; of the run that the version is from, the metrics."""

    tenant_id: UUID
    audit_id: UUID
    at_ms: int
    """When the audit ended."""
    tags: dict[str, str]
    numbers: dict[str, float]
    """By tag, without those that say nothing: a metric has no room for that word."""
    alias: str | None
    note: str | None
    """Why there is no verdict though the policy names a gate."""


def words_of(session: Session, run: PolicyRunRow, policy: Policy, public_url: str | None) -> Words:
    """Of an audit that succeeded."""
    if run.audit_id is None:
        raise NotFound("audit")
    audit = get_audit(session, run.audit_id)
    verdict = NOT_JUDGED if audit.verdict is None else str(audit.verdict["verdict"])
    tags = {f"{OURS}audit_id": str(audit.id)}
    if public_url:
        tags[f"{OURS}report_url"] = f"{public_url.rstrip('/')}/v1/audits/{audit.id}/report"
    document = results_of(session, audit.id)
    # Of a run group too a version is told its own numbers; what compares models is every member's.
    silent = {f"{OURS}{name}" for name in silent_headlines(document, str(run.model_id))}
    told = headline(document, str(run.model_id))
    numbers = {f"{OURS}{name}": value for name, value in told.items() if value is not None}
    tags |= {name: f"{value:.6g}{SILENT if name in silent else ''}" for name, value in numbers.items()}
    # Last: whoever waits for the verdict then finds the numbers too.
    tags[f"{OURS}verdict"] = verdict
    alias = policy.write_back.alias_on_pass if verdict == Outcome.PASSED else None
    note = NO_BASELINE if policy.gate is not None and audit.gate is None else None
    return Words(
        tenant_id=audit.tenant_id,
        audit_id=audit.id,
        at_ms=int((audit.finished_at or audit.updated_at).timestamp() * 1000),
        tags=tags,
        numbers={name: value for name, value in numbers.items() if name not in silent},
        alias=alias,
        note=note,
    )
