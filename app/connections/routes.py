"""``/v1/connections``."""

from fastapi import APIRouter, Response

from app.access.quotas import check_rows
from app.connections import service
from app.connections.repository import get_connection, list_connections, refuse_while_used
from app.connections.schemas import Connection, ConnectionChange, ConnectionId, ConnectionRequest, ConnectionTest
from app.db.tables import ConnectionRow
from app.http.authorization import READS, WRITES
from app.http.dependencies import (
    BriefSessionDep,
    GuardDep,
    OutwardDep,
    SessionDep,
    SettingsDep,
    VaultDep,
)
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.naming.schemas import CHANGE_PROBLEMS

router = APIRouter(prefix="/v1/connections", tags=["registries"])


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Connect a registry",
    responses=problem_responses(400, 409, 413, 415, 422),
)
def create_connection(
    request: ConnectionRequest,
    session: SessionDep,
    vault: VaultDep,
    guard: GuardDep,
    settings: SettingsDep,
    response: Response,
) -> Connection:
    """First of all: where models come from and verdicts go to. Its secrets are encrypted and never shown again. An
    address that is not public is refused, unless the operator allows it. No `Idempotency-Key`: what it keeps of the
    request would have the secret's hash."""
    row = service.connect(session, request, vault, guard)
    check_rows(session, ConnectionRow, settings)
    session.commit()
    response.headers["Location"] = link(f"/v1/connections/{row.id}")
    return Connection.of(row)


@router.get("", dependencies=[READS], summary="List connections, the newest first", responses=problem_responses(422))
def get_connections(session: SessionDep, page: PageDep) -> Page[Connection]:
    """To find an id again, for a hook, a policy or a model's source."""
    rows = list_connections(session, page.limit, page.after_id())
    return make_page(rows, Connection.of, lambda row: [str(row.id)])


@router.get("/{connection_id}", dependencies=[READS], summary="Read a connection", responses=problem_responses(404))
def get_one_connection(connection_id: ConnectionId, session: SessionDep) -> Connection:
    """Its address, and which kind of secret it shows the registry; never the secret."""
    return Connection.of(get_connection(session, connection_id))


@router.patch("/{connection_id}", dependencies=[WRITES], summary="Change a connection", responses=CHANGE_PROBLEMS)
def change_connection(
    connection_id: ConnectionId, request: ConnectionChange, session: SessionDep, vault: VaultDep, guard: GuardDep
) -> Connection:
    """Its name, its secrets, or its address together with the secrets for it."""
    row = get_connection(session, connection_id, lock=True)
    service.change(row, request, vault, guard)
    session.commit()
    session.refresh(row)
    return Connection.of(row)


@router.post(
    "/{connection_id}/test",
    dependencies=[WRITES],
    summary="Try a connection",
    responses=problem_responses(404),
)
async def try_connection(
    connection_id: ConnectionId,
    session: BriefSessionDep,
    outward: OutwardDep,
    vault: VaultDep,
    settings: SettingsDep,
) -> ConnectionTest:
    """Calls the registry now, and says in words what works and what does not."""
    row = await session.ask(lambda asked: get_connection(asked, connection_id))
    return await outward.call(row.tenant_id, lambda: service.try_out(row, vault, settings))


@router.delete(
    "/{connection_id}",
    dependencies=[WRITES],
    status_code=204,
    summary="Delete a connection",
    responses=problem_responses(404, 409),
)
def delete_connection(connection_id: ConnectionId, session: SessionDep) -> None:
    """With its secrets. Refused while a hook, a policy or an imported model refers to it."""
    row = get_connection(session, connection_id, lock=True)
    refuse_while_used(session, row.id)
    session.delete(row)
    session.commit()
