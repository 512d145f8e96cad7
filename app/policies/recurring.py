"""Policies that audit again by their schedule."""

from sqlalchemy import Engine, func, select

from app.db.session import TenantEngine, clock, transaction
from app.db.tables import PolicyRow
from app.policies.runs import begin_again
from app.policies.schedule import next_time
from app.policies.schemas import Policy

BATCH = 100


def recur(engine: Engine) -> int:
    """Of policies whose time has come, the newest version of each model is followed again, by the policy as it is now.

    Each in its tenant's own transaction; times that passed while no process ran are one. Returns how many versions.
    """
    row = PolicyRow
    due = select(row.id, row.tenant_id).where(row.recurs_at <= func.clock_timestamp()).order_by(row.recurs_at)
    with transaction(engine) as session:
        found = session.execute(due.limit(BATCH)).all()
    begun = 0
    for policy_id, tenant_id in found:
        with transaction(TenantEngine(engine, tenant_id)) as session:
            again = due.with_only_columns(row).where(row.id == policy_id)
            policy = session.scalar(again.with_for_update(skip_locked=True))
            schedule = None if policy is None else Policy.of(policy).schedule
            if policy is not None and schedule is not None:
                policy.recurs_at = next_time(schedule, clock(session))
                begun += begin_again(session, policy.id)
    return begun
