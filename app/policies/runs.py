"""SQL of policies' runs: how they begin, and begin again, one for each version that a policy meets."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.order import newest_first
from app.db.tables import HookDeliveryRow, ModelRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import ResourceStatus, RunStage
from app.hooks.events import RegistryEvent

MOMENT = timedelta(seconds=10)
"""So much later than the version, by the registry's own clock, an event may tell of it and mean the same one."""


def begin_run(session: Session, policy_id: UUID, event: RegistryEvent, hook_id: UUID | None = None) -> UUID:
    """Of the one that the policy has for this version: whichever event comes, and however often.

    One that the registry made anew since is another. One that failed, and is to be tried again, begins again.
    """
    found = _run_of(session, policy_id, event)
    if found is None or _is_made_anew(found, event):
        named = {"model_name": event.model_name, "version": event.version, "hook_id": hook_id}
        # Of several that one transaction begins, each has its own time: where no registry tells, that is their order.
        whence = {"source": event.source, "stage": RunStage.IMPORTING, "created_at": func.clock_timestamp()}
        values = {"id": new_id(), "policy_id": policy_id, **named, **whence}
        session.execute(insert(PolicyRunRow).values(values).on_conflict_do_nothing())
        found = _run_of(session, policy_id, event)
    if found is None:
        raise LookupError("the run was deleted meanwhile")
    if found.hook_id is None:
        found.hook_id = hook_id
    if found.stage == RunStage.FAILED and found.outcome is None:
        begin_anew(session, found)
    return found.id


def _run_of(session: Session, policy_id: UUID, event: RegistryEvent) -> PolicyRunRow | None:
    row = PolicyRunRow
    same = (row.policy_id == policy_id, row.model_name == event.model_name, row.version == event.version)
    return session.scalar(select(row).where(*same).order_by(*newest_first(row)).limit(1))


def _is_made_anew(run: PolicyRunRow, event: RegistryEvent) -> bool:
    """As far as the event says; the registry is asked when the run is taken on."""
    if event.made_at is None or run.registered_at is None or not event.version.isdecimal():
        return False  # digests and commits name the same bytes for good; numbers begin at 1 again
    return event.made_at > run.registered_at + MOMENT


def begin_anew(session: Session, run: PolicyRunRow) -> None:
    """Of a run that has ended. A model that was rejected is fetched again."""
    model = None if run.model_id is None else session.get(ModelRow, run.model_id)
    if model is not None and model.status == ResourceStatus.REJECTED:
        run.model_id = None
    run.stage, run.reason, run.notes, run.attempts = RunStage.IMPORTING, None, [], 0
    run.outcome, run.outcome_reason, run.next_at = None, None, func.clock_timestamp()
    session.flush()


def begin_again(session: Session, policy_id: UUID) -> int:
    """The run of the newest version of each model, where it has ended; how many. What its events came to stays."""
    row = PolicyRunRow
    newest_of_each = (
        select(row.id)
        .where(row.policy_id == policy_id)
        .ext(distinct_on(row.model_name))
        .order_by(row.model_name, *newest_first(row))
    )
    now, empty = func.clock_timestamp(), list[str]()
    anew = {"stage": RunStage.IMPORTING, "reason": None, "notes": empty, "attempts": 0, "next_at": now}
    ended = update(row).where(row.id.in_(newest_of_each), row.stage.in_((RunStage.DONE, RunStage.FAILED))).values(anew)
    return len(session.execute(ended.returning(row.id)).all())


def first_seen(session: Session, run: PolicyRunRow, connection_id: UUID) -> datetime:
    """When some policy first met the version."""
    row = PolicyRunRow
    query = (
        select(func.min(row.created_at))
        .join(PolicyRow, PolicyRow.id == row.policy_id)
        .where(PolicyRow.connection_id == connection_id, row.model_name == run.model_name, row.version == run.version)
    )
    return session.scalar(query) or run.created_at


def run_with(session: Session, run: PolicyRunRow, registered_at: datetime) -> PolicyRunRow | None:
    """The one that the policy has for the version that was made then, beside this one."""
    row = PolicyRunRow
    same = (row.policy_id == run.policy_id, row.model_name == run.model_name, row.version == run.version)
    query = select(row).where(*same, row.registered_at == registered_at, row.id != run.id)
    return session.scalar(query.limit(1))


def merge_into(session: Session, run: PolicyRunRow, other: PolicyRunRow) -> None:
    """Deliveries that began a run are those of the other, of the same version."""
    row = HookDeliveryRow
    for delivery in session.scalars(select(row).where(row.runs.contains([str(run.id)])).with_for_update()):
        delivery.runs = [str(other.id) if one == str(run.id) else one for one in delivery.runs or ()]
    session.delete(run)


def moves_elsewhere(session: Session, run: PolicyRunRow, connection_id: UUID) -> bool:
    """Whether another process may be moving an alias of the model just now."""
    row = PolicyRunRow
    query = (
        select(row.id)
        .join(PolicyRow, PolicyRow.id == row.policy_id)
        .where(PolicyRow.connection_id == connection_id, row.model_name == run.model_name, row.id != run.id)
        .where(row.stage == RunStage.MOVING, row.attempts > 0)
    )
    return session.scalar(query.limit(1)) is not None
