"""What is done with hooks and deliveries; never commits."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.connections.repository import connections_of, get_connection, not_followed
from app.db.identifiers import new_id
from app.db.session import TenantEngine, clock, transaction
from app.db.tables import ConnectionRow, HookDeliveryRow, HookRow, PolicyRunRow
from app.domain.problems import integrations
from app.domain.vocabulary import RunStage
from app.errors import RateLimited, TooLarge, Unauthenticated, Unprocessable
from app.hooks.kinds import Arrived, Delivered, arrived
from app.hooks.refusals import is_news, note_proof, note_refusal
from app.hooks.repository import Kept, count_kept, find_door, forget_oldest, keep_delivery, runs_of
from app.hooks.schemas import WITH_A_FORM, Accepted, HookDelivery, HookKind, HookOutcome, HookRequest
from app.registries.uris import FOLLOWED, SCHEMES
from app.settings import Settings

SECRET_BYTES = 32
RETRY_SECONDS = 60
SHOWN = 5
"""Of connections that a hook may be of."""
LEFT_WHEN_FULL = 0.9
"""Of what a hook may keep, the newest, once it has more."""
NO_PROOF = "The delivery has no signature of this hook's secret, or an old one."


def create_hook(session: Session, request: HookRequest, vault: Vault) -> tuple[HookRow, str]:
    """The row and its secret. Raises NotFound, Unprocessable, Unavailable ``encryption-keys-missing``."""
    connection = _connection(session, request)
    secret = request.secret.get_secret_value() if request.secret else secrets.token_hex(SECRET_BYTES)
    row = HookRow(
        id=new_id(),
        name=request.name,
        kind=request.kind.value,
        connection_id=connection and connection.id,
        secret=vault.seal(secret),
        mapping=request.mapping and request.mapping.model_dump(mode="json"),
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row, secret


def _connection(session: Session, request: HookRequest) -> ConnectionRow | None:
    """None where policies say over which the versions are fetched. Raises NotFound, Unprocessable."""
    if request.connection_id is not None:
        connection = get_connection(session, request.connection_id)
        _check_connection(connection, request)
        return connection
    if request.kind not in WITH_A_FORM:
        return None
    found = connections_of(session, request.kind, SHOWN)
    if len(found) != 1:
        there = ", ".join(f"{one.id} ({one.name})" for one in found)
        way_out = f"there are {there}" if found else "make one by POST /v1/connections"
        detail = f"Say in connection_id which connection of kind {request.kind} the events are of: {way_out}."
        raise Unprocessable.at(detail, "connection_id")
    return found[0]


def _check_connection(connection: ConnectionRow, request: HookRequest) -> None:
    below = None if request.mapping is None else request.mapping.below
    if below is None and connection.kind not in FOLLOWED:
        raise not_followed(connection)
    if below is not None and (connection.kind in FOLLOWED or not below.startswith(SCHEMES[connection.kind])):
        detail = f"The mapping names files below {below}, and the connection is of {connection.kind}."
        raise Unprocessable.at(detail, "mapping", "below")
    if request.kind in WITH_A_FORM and connection.kind != request.kind:
        detail = f"A hook of kind {request.kind} needs a connection of that kind; this one is of {connection.kind}."
        raise Unprocessable.at(detail, "connection_id")


def rotate_secret(session: Session, row: HookRow, vault: Vault, grace: timedelta) -> str:
    """The new secret; the present one stays good for the grace. One before that ends now."""
    secret = secrets.token_hex(SECRET_BYTES)
    row.previous_secret, row.previous_until = row.secret, clock(session) + grace
    row.secret = vault.seal(secret)
    session.flush()
    session.refresh(row)
    return secret


@dataclass(frozen=True)
class Proved:
    """A delivery that is authentic."""

    hook_id: UUID
    tenant_id: UUID
    events: list[Arrived]
    had_refusals: bool
    """Whether deliveries before it proved nothing."""


def prove(engine: Engine, vault: Vault, hook_id: UUID, headers: dict[str, str], body: bytes) -> Proved:
    """Raises Unauthenticated, also where there is no hook."""
    door = find_door(engine, hook_id)
    if door is None:
        raise Unauthenticated(NO_PROOF)
    came = Delivered(headers, body, datetime.now(UTC))
    read = (arrived(HookKind(door.kind), door.mapping, vault.open(secret), came) for secret in door.secrets)
    events = next((found for found in read if found is not None), None)
    if events is None:
        if is_news(door, came.at):
            note_refusal(engine, hook_id, door)
        raise Unauthenticated(NO_PROOF)
    return Proved(hook_id, door.tenant_id, events, door.refused_since is not None)


def take_in(engine: Engine, proved: Proved, settings: Settings) -> Accepted:
    """Keeps it; the same again changes nothing. Raises TooLarge, and RateLimited where too many wait for a look."""
    most = settings.max_hook_deliveries
    if len(proved.events) > most:
        raise TooLarge("payload-too-large", f"A delivery may tell of {most} events.")
    with transaction(TenantEngine(engine, proved.tenant_id)) as session:
        if proved.had_refusals:
            note_proof(session, proved.hook_id)
        rows = [keep_delivery(session, proved.hook_id, one.key, one.event, one.body) for one in proved.events]
        first, _ = rows[0]
        accepted = Accepted(delivery_id=first.id, status=shown(session, first).outcome)
        _make_room(session, proved.hook_id, [len(row.body) for row, is_new in rows if is_new], settings)
        return accepted


def _make_room(session: Session, hook_id: UUID, sizes: list[int], settings: Settings) -> None:
    """For deliveries of these sizes, which are kept. Raises RateLimited where too many others wait for a look.

    More is removed than has to be, so that few deliveries pay for it.
    """
    most = Kept(settings.max_hook_deliveries, settings.max_hook_bytes)
    if not sizes or not count_kept(session, hook_id, sizes).is_beyond(most):
        return
    rest = Kept(*(int(one * LEFT_WHEN_FULL) for one in most))
    if forget_oldest(session, hook_id, rest).is_beyond(most):
        raise RateLimited(RETRY_SECONDS)


def play_again(session: Session, row: HookDeliveryRow) -> None:
    """Looked at anew, and runs of policies that failed begin anew when they are met. Raises Conflict
    ``delivery-under-way``."""
    if shown(session, row).outcome is HookOutcome.PENDING:
        raise integrations.DELIVERY_UNDER_WAY.error()
    for run in runs_of(session, row):
        if run.stage == RunStage.FAILED:
            run.outcome = None
    row.outcome, row.reason, row.runs = HookOutcome.PENDING, None, None
    session.flush()


def shown(session: Session, row: HookDeliveryRow) -> HookDelivery:
    """With what its runs came to."""
    runs = runs_of(session, row)
    told = _told(runs) if row.runs else (HookOutcome(row.outcome), row.reason)
    return HookDelivery(
        id=row.id,
        received_at=row.created_at,
        event=row.event,
        outcome=told[0],
        reason=told[1],
        model_id=next((run.model_id for run in runs if run.model_id), None),
        audit_id=next((run.audit_id for run in runs if run.audit_id), None),
    )


def _told(runs: list[PolicyRunRow]) -> tuple[HookOutcome, str | None]:
    """The worst of them; one that is under way may still become anything, but for the second time."""
    under_way = [run for run in runs if run.outcome is None and run.stage != RunStage.FAILED]
    failed = [run for run in runs if (run.outcome or run.stage) == HookOutcome.FAILED]
    if under_way:
        return HookOutcome.PENDING, under_way[0].reason or f"The run is {under_way[0].stage}."
    if failed:
        return HookOutcome.FAILED, failed[0].outcome_reason
    if not runs:
        return HookOutcome.IGNORED, "The policy that followed it is gone."
    return HookOutcome.AUDITED, runs[0].outcome_reason
