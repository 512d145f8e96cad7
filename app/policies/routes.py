"""``/v1/policies``."""

from fastapi import APIRouter, Response

from app.access.quotas import check_rows
from app.db.tables import PolicyRow
from app.http.authorization import READS, WRITES
from app.http.dependencies import SessionDep, SettingsDep
from app.http.idempotency import IdempotencyDep
from app.http.links import link
from app.http.pagination import Page, PageDep, make_page
from app.http.problems import problem_responses
from app.policies import service
from app.policies.repository import get_policy, get_run, list_policies, list_runs
from app.policies.schemas import (
    DryRun,
    DryRunRequest,
    Policy,
    PolicyChange,
    PolicyId,
    PolicyRequest,
    PolicyRun,
    RunId,
)

router = APIRouter(prefix="/v1/policies", tags=["registries"])

_PROBLEMS = problem_responses(400, 404, 413, 415, 422)


@router.post(
    "",
    dependencies=[WRITES],
    status_code=201,
    summary="Say what is audited",
    responses=problem_responses(400, 404, 409, 413, 415, 422),
)
def create_policy(
    request: PolicyRequest, session: SessionDep, settings: SettingsDep, response: Response, idempotency: IdempotencyDep
) -> Policy:
    """Last of all: which versions that a registry tells of are imported and audited, on which data set, judged by which
    gate, and what is written back to the version. Each version is audited once.

    The examples' ids are made up: put yours from `GET /v1/connections`, `/v1/datasets` and `/v1/gates`."""
    shown = idempotency.earlier(session, request, Policy)
    if shown is None:
        shown = Policy.of(service.create_policy(session, request))
        check_rows(session, PolicyRow, settings)
        idempotency.remember(session, shown.id, shown)
        session.commit()
    response.headers["Location"] = link(f"/v1/policies/{shown.id}")
    return shown


@router.get("", dependencies=[READS], summary="List policies, the newest first", responses=problem_responses(422))
def get_policies(session: SessionDep, page: PageDep) -> Page[Policy]:
    """To see what follows from which events of which registry, and to find an id."""
    return make_page(list_policies(session, page.limit, page.after_id()), Policy.of, lambda row: [str(row.id)])


@router.get("/{policy_id}", dependencies=[READS], summary="Read a policy", responses=problem_responses(404))
def get_one_policy(policy_id: PolicyId, session: SessionDep) -> Policy:
    """As it is now: what it matches, how it audits, what it writes back."""
    return Policy.of(get_policy(session, policy_id))


@router.patch("/{policy_id}", dependencies=[WRITES], summary="Change a policy", responses=_PROBLEMS)
def change_policy(policy_id: PolicyId, request: PolicyChange, session: SessionDep) -> Policy:
    """What is named is changed, the rest stays; versions that it has met are not met again.

    The examples' ids are made up: put yours from `GET /v1/gates`."""
    row = get_policy(session, policy_id)
    service.change_policy(session, row, request)
    session.commit()
    return Policy.of(row)


@router.post("/{policy_id}/test", dependencies=[WRITES], summary="Try a policy", responses=_PROBLEMS)
def try_policy(policy_id: PolicyId, request: DryRunRequest, session: SessionDep) -> DryRun:
    """Whether it would follow a delivery that arrived, and if not why. Nothing is started.

    The examples' ids are made up: put yours from `GET /v1/hooks` and its deliveries."""
    return service.dry_run(session, get_policy(session, policy_id), request)


@router.get(
    "/{policy_id}/runs",
    dependencies=[READS],
    summary="List what a policy met, the newest first",
    responses=problem_responses(404, 422),
)
def get_runs(policy_id: PolicyId, session: SessionDep, page: PageDep) -> Page[PolicyRun]:
    """What became of each version, and why: those that events told of, and those that the service found by asking the
    registry, of which no delivery tells."""
    get_policy(session, policy_id)
    rows = list_runs(session, policy_id, page.limit, page.after_id())
    return make_page(rows, PolicyRun.of, lambda row: [str(row.id)])


@router.post(
    "/{policy_id}/runs/{run_id}/retry",
    dependencies=[WRITES],
    status_code=202,
    summary="Follow a version again that failed",
    responses=problem_responses(404, 409),
)
def retry_run(policy_id: PolicyId, run_id: RunId, session: SessionDep) -> PolicyRun:
    """After what `reason` says was mended: a model that was rejected is fetched anew, an audit is asked for anew."""
    row = get_run(session, policy_id, run_id, lock=True)
    service.retry(session, row)
    session.commit()
    return PolicyRun.of(row)


@router.delete(
    "/{policy_id}", dependencies=[WRITES], status_code=204, summary="Delete a policy", responses=problem_responses(404)
)
def delete_policy(policy_id: PolicyId, session: SessionDep) -> None:
    """Its models and audits stay; what was under way is not followed further."""
    session.delete(get_policy(session, policy_id))
    session.commit()
