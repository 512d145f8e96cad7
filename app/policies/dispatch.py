"""From deliveries to runs of policies."""

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, transaction
from app.db.tables import HookDeliveryRow, HookRow
from app.hooks.events import Ignored, RegistryEvent
from app.hooks.kinds import event_of
from app.hooks.schemas import HookOutcome
from app.policies.matching import why_not
from app.policies.repository import begin_run, policies_of
from app.policies.schemas import Policy

BATCH = 100


def dispatch(engine: Engine) -> int:
    """Those that nobody has looked at yet, each in its tenant's own transaction; how many there were."""
    row = HookDeliveryRow
    waiting = select(row.id, row.tenant_id).where(row.outcome == HookOutcome.PENDING, row.runs.is_(None))
    with transaction(engine) as session:
        found = session.execute(waiting.order_by(row.id).limit(BATCH)).all()
    for delivery_id, tenant_id in found:
        with transaction(TenantEngine(engine, tenant_id)) as session:
            again = waiting.with_only_columns(row).where(row.id == delivery_id)
            delivery = session.scalar(again.with_for_update(skip_locked=True))
            if delivery is not None:
                hook = session.get_one(HookRow, delivery.hook_id)
                _follow(session, delivery, hook, event_of(hook, delivery.body))
    return len(found)


def _follow(session: Session, delivery: HookDeliveryRow, hook: HookRow, event: RegistryEvent | Ignored) -> None:
    if isinstance(event, Ignored):
        delivery.outcome, delivery.reason = HookOutcome.IGNORED, event.reason
        return
    policies = [Policy.of(policy) for policy in policies_of(session, hook.connection_id)]
    reasons = {policy.id: why_not(policy, event) for policy in policies}
    runs = [str(begin_run(session, policy.id, event, hook.id)) for policy in policies if reasons[policy.id] is None]
    if runs:
        delivery.runs = runs
    else:
        told = [f"{policy.name}: {reasons[policy.id]}" for policy in policies]
        delivery.outcome, delivery.reason = HookOutcome.IGNORED, " ".join(told) or "No policy follows this connection."
