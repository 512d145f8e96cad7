"""``/v1/hooks``."""

from datetime import timedelta
from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from app.access.quotas import check_rows
from app.db.tables import HookRow
from app.errors import TooLarge
from app.hooks import service
from app.hooks.repository import get_delivery, get_hook, list_deliveries, list_hooks
from app.hooks.schemas import Accepted, DeliveryId, Hook, HookDelivery, HookId, HookRequest, HookRotation, NewHook
from app.http.authorization import OPEN, READS, WRITES
from app.http.dependencies import SessionDep, SettingsDep, VaultDep
from app.http.guards.rate_headers import check_rate
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.http.query import ANY_QUERY
from app.settings import Settings

router = APIRouter(prefix="/v1/hooks", tags=["registries"])


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Let a registry call",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def create_hook(
    request: HookRequest, session: SessionDep, settings: SettingsDep, vault: VaultDep, response: Response
) -> NewHook:
    """Makes an address for the registry's events. Give it to the registry with the secret, which the answer has this
    once: MLflow takes both in `create_webhook`. What follows from an event, policies say.

    The examples' ids are made up: put yours from `GET /v1/connections`."""
    row, secret = service.create_hook(session, request, vault)
    check_rows(session, HookRow, settings)
    session.commit()
    response.headers["Location"] = link(f"/v1/hooks/{row.id}")
    return NewHook(**_show(row, settings).model_dump(), secret=secret)


@router.get("", dependencies=[READS], summary="List hooks, the newest first", responses=problem_responses(422))
def get_hooks(session: SessionDep, settings: SettingsDep, page: PageDep) -> Page[Hook]:
    """To find an address again, which the registry is to send its events to."""
    rows = list_hooks(session, page.limit, page.after_id())
    return make_page(rows, lambda row: _show(row, settings), lambda row: [str(row.id)])


@router.get("/{hook_id}", dependencies=[READS], summary="Read a hook", responses=problem_responses(404))
def get_one_hook(hook_id: HookId, session: SessionDep, settings: SettingsDep) -> Hook:
    """Its address, and the connection over which its events' versions are fetched."""
    return _show(get_hook(session, hook_id), settings)


@router.post(
    "/{hook_id}/rotate",
    dependencies=[WRITES],
    summary="Take another secret",
    responses=problem_responses(400, 404, 413, 415, 422, 503),
)
def rotate_secret(
    hook_id: HookId,
    session: SessionDep,
    settings: SettingsDep,
    vault: VaultDep,
    request: HookRotation | None = None,
) -> NewHook:
    """The answer has the new secret, this once: give it to the registry. Until the grace is over a delivery may prove
    itself by either."""
    row = get_hook(session, hook_id, lock=True)
    grace = timedelta(seconds=(request or HookRotation()).grace_seconds)
    secret = service.rotate_secret(session, row, vault, grace)
    session.commit()
    return NewHook(**_show(row, settings).model_dump(), secret=secret)


@router.delete(
    "/{hook_id}", dependencies=[WRITES], status_code=204, summary="Delete a hook", responses=problem_responses(404)
)
def delete_hook(hook_id: HookId, session: SessionDep) -> None:
    """With the list of what arrived. Audits that it led to stay."""
    session.delete(get_hook(session, hook_id))
    session.commit()


@router.post(
    "/{hook_id}/deliveries",
    dependencies=[OPEN, ANY_QUERY],
    status_code=202,
    summary="Tell of an event",
    responses=problem_responses(400, 401, 413, 415, 429),
)
async def deliver(hook_id: HookId, request: Request, vault: VaultDep, settings: SettingsDep) -> Accepted:
    """What the registry calls, without an API key: its own signature is the proof. The event is stored and answered at
    once, whatever will follow from it; the same delivery again is the first one."""
    services = request.app.state.services
    check_rate(await services.rate_limiter.count({"hook": hook_id}))
    body = await request.body()
    if len(body) > settings.max_delivery_bytes:
        raise TooLarge("payload-too-large", f"A delivery may have {settings.max_delivery_bytes} bytes.")
    headers = {name.lower(): value for name, value in request.headers.items()}
    proved = await to_thread.run_sync(service.prove, services.engine, vault, hook_id, headers, body)
    # Not before: whoever proves nothing must not use up what the tenant's own keys may ask.
    check_rate(await services.rate_limiter.count({"tenant": proved.tenant_id}))
    return await to_thread.run_sync(partial(service.take_in, services.engine, proved, settings))


@router.options("/{hook_id}/deliveries", dependencies=[OPEN, ANY_QUERY], include_in_schema=False)
def shake_hands(hook_id: HookId, request: Request, settings: SettingsDep) -> Response:
    """CloudEvents' own question before the first delivery: whether this address wants any, and how many. The same for
    every id, so that nobody learns which are hooks."""
    del hook_id
    origin = request.headers.get("webhook-request-origin")
    rate = settings.rate_limit_hook * 60 // settings.rate_window_seconds
    allowed = {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": str(rate) if rate else "*"} if origin else {}
    return Response(headers={"Allow": "POST", **allowed})


@router.get(
    "/{hook_id}/deliveries",
    dependencies=[READS],
    summary="List what arrived, the newest first",
    responses=problem_responses(404, 422),
)
def get_deliveries(hook_id: HookId, session: SessionDep, page: PageDep) -> Page[HookDelivery]:
    """What became of each event: `audited`, `ignored` or `failed`, and why; `pending` while it is followed."""
    get_hook(session, hook_id)
    rows = list_deliveries(session, hook_id, page.limit, page.after_id())
    return make_page(rows, lambda row: service.shown(session, row), lambda row: [str(row.id)])


@router.post(
    "/{hook_id}/deliveries/{delivery_id}/replay",
    dependencies=[WRITES],
    status_code=202,
    summary="Follow an event again",
    responses=problem_responses(404, 409),
)
def replay(hook_id: HookId, delivery_id: DeliveryId, session: SessionDep) -> HookDelivery:
    """As if it arrived now: after a policy was made or changed, or what failed was mended. A version that was audited
    is not audited again."""
    row = get_delivery(session, hook_id, delivery_id, lock=True)
    service.play_again(session, row)
    session.commit()
    return service.shown(session, row)


def _show(row: HookRow, settings: Settings) -> Hook:
    path = f"/v1/hooks/{row.id}/deliveries"
    return Hook.of(row, f"{settings.public_url.rstrip('/')}{path}" if settings.public_url else link(path))
