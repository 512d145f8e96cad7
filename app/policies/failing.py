"""Tells when what a hook's events lead to begins to fail."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from app.db.tables import HookRow, PolicyRunRow
from app.webhooks.events import hook_failing
from app.webhooks.outbox import tell

Problem = Mapping[str, Any]


def note_success(session: Session, hook_id: UUID | None) -> None:
    """The next failure is told again."""
    session.execute(update(HookRow).where(HookRow.id == hook_id).values(failing_since=None))


def note_failure(session: Session, run: PolicyRunRow, problem: Problem) -> None:
    """Told once, until a version that the hook told of is audited again."""
    hook = None if run.hook_id is None else session.get(HookRow, run.hook_id, with_for_update=True)
    if hook is None or hook.failing_since is not None:
        return
    hook.failing_since = func.clock_timestamp()
    tell(session, hook.tenant_id, hook_failing(hook, run, dict(problem)))
