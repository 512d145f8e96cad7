"""Makes policies, and says what would follow from a delivery; never commits."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.connections.repository import get_registry
from app.datasets.repository import get_dataset
from app.db.identifiers import new_id
from app.db.session import clock
from app.db.tables import PolicyRow, PolicyRunRow
from app.domain.problems import integrations
from app.domain.vocabulary import ConnectionKind, RunStage
from app.gates.repository import get_gate
from app.hooks.events import Ignored
from app.hooks.kinds import events_of
from app.hooks.repository import get_delivery, get_hook
from app.policies.capabilities import check_write_back
from app.policies.matching import why_not
from app.policies.repository import policies_of
from app.policies.runs import begin_anew
from app.policies.schedule import next_time
from app.policies.schemas import DryRun, DryRunRequest, Policy, PolicyChange, PolicyRequest, WriteBack

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def create_policy(session: Session, request: PolicyRequest) -> PolicyRow:
    """Raises NotFound where it names what is not there, Unprocessable of a connection that has no versions, or that
    cannot take what is to be written back."""
    _check_named(session, request, request.write_back)
    row = PolicyRow(id=new_id(), **_columns(session, request))
    _look_from_now(session, row)
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def change_policy(session: Session, row: PolicyRow, wanted: PolicyChange) -> None:
    """Versions that it has met already stay as they are; what it matches now, it matches from now on. Raises NotFound,
    Unprocessable."""
    before = {"name": row.name, "connection_id": row.connection_id, **row.definition}
    request = PolicyRequest.model_validate(before | wanted.model_dump(mode="json", exclude_unset=True))
    _check_named(session, request, wanted.write_back)
    for name, value in _columns(session, request).items():
        setattr(row, name, value)
    if PolicyRequest.model_validate(before).match != request.match:
        _look_from_now(session, row)
    session.flush()
    session.refresh(row)


def retry(session: Session, run: PolicyRunRow) -> None:
    """Raises Conflict ``run-not-failed``."""
    if run.stage != RunStage.FAILED:
        raise integrations.RUN_NOT_FAILED.error(stage=run.stage)
    begin_anew(session, run)
    session.refresh(run)


def _look_from_now(session: Session, row: PolicyRow) -> None:
    """No sweep takes up what was there before: the first, which is due at once, notes which aliases and tags are."""
    row.matched_since, row.swept_to, row.seen, row.swept_at = clock(session), None, None, _LONG_AGO


def dry_run(session: Session, row: PolicyRow, request: DryRunRequest) -> DryRun:
    """Raises NotFound."""
    hook = get_hook(session, request.hook_id)
    events = events_of(hook, get_delivery(session, hook.id, request.delivery_id).body)
    if isinstance(events, Ignored):
        return DryRun(matches=False, reason=events.reason)
    policy = Policy.of(row)
    event = next((one for one in events if why_not(policy, one) is None), events[0])
    is_its = any(one.id == row.id for one in policies_of(session, hook))
    reason = None if is_its else "The hook is of another connection."
    reason = reason or why_not(policy, event)
    told = reason or f"It would be imported and audited on the data set {policy.dataset_id}, unless it was before."
    return DryRun(matches=reason is None, reason=told, model=event.model_name, version=event.version)


def _check_named(session: Session, request: PolicyRequest, written: WriteBack | None) -> None:
    """``written`` is asked for just now; None where it stays as it was."""
    connection = get_registry(session, request.connection_id)
    if written is not None:
        check_write_back(ConnectionKind(connection.kind), written)
    get_dataset(session, request.dataset_id)
    if request.gate is not None:
        get_gate(session, request.gate)


def _columns(session: Session, request: PolicyRequest) -> dict[str, Any]:
    told = request.model_dump(mode="json", exclude={"name", "connection_id"}, exclude_unset=True)
    recurs_at = None if request.schedule is None else next_time(request.schedule, clock(session))
    named = {"name": request.name, "connection_id": UUID(str(request.connection_id))}
    return named | {"definition": told, "recurs_at": recurs_at}
