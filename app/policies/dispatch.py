"""From deliveries to runs of policies."""

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from app.db.session import TenantEngine, transaction
from app.db.tables import HookDeliveryRow, HookRow
from app.hooks.events import Ignored, RegistryEvent
from app.hooks.kinds import events_of
from app.hooks.repository import is_waiting
from app.hooks.schemas import HookOutcome
from app.policies.failing import tell_failure
from app.policies.matching import why_not
from app.policies.repository import policies_of
from app.policies.runs import begin_run
from app.policies.schemas import Policy
from app.registries.uris import fetching_kinds

logger = logging.getLogger(__name__)

BATCH = 100
_ROW = HookDeliveryRow


def dispatch(engine: Engine) -> int:
    """Those that nobody has looked at yet, each in its tenant's own transaction; how many there were.

    One that cannot be followed has failed, and says so: it holds up no other, of whichever tenant. Raises
    OperationalError, InterfaceError while the database is away.
    """
    with transaction(engine) as session:
        query = select(_ROW.id, _ROW.tenant_id).where(is_waiting()).order_by(_ROW.id).limit(BATCH)
        found = session.execute(query).all()
    for delivery_id, tenant_id in found:
        tenant = TenantEngine(engine, tenant_id)
        try:
            with transaction(tenant) as session:
                _follow(session, delivery_id)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            logger.exception("delivery %s cannot be followed", delivery_id)
            with transaction(tenant) as session:
                _give_up(session, delivery_id, type(error).__name__)
    return len(found)


def _follow(session: Session, delivery_id: UUID) -> None:
    delivery = _waiting(session, delivery_id)
    if delivery is None:
        return
    hook = session.get_one(HookRow, delivery.hook_id)
    events = events_of(hook, delivery.body)
    if isinstance(events, Ignored):
        delivery.outcome, delivery.reason = HookOutcome.IGNORED, events.reason
    else:
        _begin(session, delivery, hook, events)


def _begin(session: Session, delivery: HookDeliveryRow, hook: HookRow, events: Sequence[RegistryEvent]) -> None:
    policies = [Policy.of(policy) for policy in policies_of(session, hook)]
    reasons = [(policy, event, why_not(policy, event)) for policy in policies for event in events]
    followed = [(policy, event) for policy, event, reason in reasons if reason is None]
    if followed:
        runs = [str(begin_run(session, policy.id, event, hook.id)) for policy, event in followed]
        delivery.runs = list(dict.fromkeys(runs))
    else:
        told = [f"{policy.name}: {reason}" for policy, _, reason in reasons]
        delivery.outcome, delivery.reason = HookOutcome.IGNORED, " ".join(told) or _no_policy(hook)


def _no_policy(hook: HookRow) -> str:
    if hook.connection_id is not None:
        return "No policy follows this connection."
    kinds = fetching_kinds((hook.mapping or {}).get("below"))
    return f"No policy follows a connection over which it could be fetched ({', '.join(kinds)})."


def _give_up(session: Session, delivery_id: UUID, error: str) -> None:
    delivery = _waiting(session, delivery_id)
    if delivery is None:
        return
    reason = f"This service could not follow it ({error}, in its log). Replay it once that is mended."
    delivery.outcome, delivery.reason = HookOutcome.FAILED, reason
    hook = session.get_one(HookRow, delivery.hook_id, with_for_update=True)
    tell_failure(session, hook, None, {"code": "delivery-not-followed", "detail": reason})


def _waiting(session: Session, delivery_id: UUID) -> HookDeliveryRow | None:
    """None where another process has it, or had it."""
    query = select(_ROW).where(_ROW.id == delivery_id, is_waiting())
    return session.scalar(query.with_for_update(skip_locked=True))
