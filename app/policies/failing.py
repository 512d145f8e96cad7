"""Tells when what a hook's events lead to begins to fail."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import HookRow, PolicyRow, PolicyRunRow
from app.webhooks.events import hook_failing
from app.webhooks.outbox import tell

Problem = Mapping[str, Any]


def note_success(session: Session, run: PolicyRunRow) -> None:
    """The next failure is told again."""
    hook = _hook_of(session, run)
    if hook is not None:
        hook.failing_since = None


def note_failure(session: Session, run: PolicyRunRow, problem: Problem) -> None:
    """Of a version that gets no verdict."""
    hook = _hook_of(session, run)
    if hook is not None:
        tell_failure(session, hook, run, problem)


def tell_failure(session: Session, hook: HookRow, run: PolicyRunRow | None, problem: Problem) -> None:
    """Told once, until a version that the hook told of is audited again. The caller has the hook's row locked."""
    if hook.failing_since is None:
        hook.failing_since = func.clock_timestamp()
        tell(session, hook.tenant_id, hook_failing(hook, run, dict(problem)))


def _hook_of(session: Session, run: PolicyRunRow) -> HookRow | None:
    """Whose event began it; where the registry was asked, the first of its connection."""
    row = HookRow
    of_connection = select(PolicyRow.connection_id).where(PolicyRow.id == run.policy_id).scalar_subquery()
    of_run = row.id == run.hook_id if run.hook_id is not None else row.connection_id == of_connection
    return session.scalar(select(row).where(of_run).order_by(row.id).limit(1).with_for_update())
