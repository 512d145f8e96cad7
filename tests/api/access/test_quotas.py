"""A tenant's last place goes to exactly one of those that ask for it at the same time."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from app.access.quotas import USAGE_WINDOW, used_bytes
from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT, AuditRow, AuditUsageRow, DatasetRow, ModelRow, TenantRow
from app.domain.vocabulary import ResourceStatus
from app.housekeeping.retention import remove_usage
from tests import forked
from tests.api.running_api import Api, check_problem
from tests.waiting import PATIENCE_SECONDS, RECIPE

PROBE: dict[str, object] = {"parameter_count": 5, "classes": 2, "map_height": 7, "map_width": 7, "map_channels": 4}
PROBE |= {"target_layer": "conv5", "candidate_layers": []}
ROUNDS = 5


@pytest.fixture
def tenant(guarded: Api, make_key: Callable[..., str]) -> Iterator[httpx.Client]:
    """With room for one model, one live audit and a thousand bytes."""
    name = f"limited {os.urandom(4).hex()}"
    key = make_key(name)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=guarded.client.base_url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        client.headers["X-Tenant"] = name
        limit(guarded, client, "--max-models", "1", "--max-live-audits", "1", "--max-bytes", "1000")
        yield client


def limit(guarded: Api, tenant: httpx.Client, *limits: str) -> None:
    url = guarded.engine.url.render_as_string(hide_password=False)
    arguments = ("tenants", "limit", tenant.headers["x-tenant"], *limits)
    forked.run(arguments, os.environ | {"DATABASE_URL": url}).check_returncode()


def auditable(guarded: Api, tenant: httpx.Client, **probed: object) -> dict[str, Any]:
    """The body of an audit that can start."""
    model = tenant.post("/v1/models", json=RECIPE | {"name": "m"}).json()
    guarded.set_row(ModelRow, model, status=ResourceStatus.READY, probe=PROBE | probed)
    dataset = tenant.post("/v1/datasets", json={"name": "d"}).json()
    guarded.set_row(DatasetRow, dataset, status=ResourceStatus.READY, sample_count=200, labels=["face", "non_face"])
    return {"dataset_id": dataset["id"], "model_ids": [model["id"]]}


def raced(ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Two requests at once; who got in comes first."""
    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(ask, range(2)), key=lambda answer: answer.status_code)
    check_problem(answers[1], 409, "quota-exceeded")
    return answers


def test_models(tenant: httpx.Client) -> None:
    for _ in range(ROUNDS):
        first, _second = raced(lambda number: tenant.post("/v1/models", json=RECIPE | {"name": str(number)}))
        assert first.status_code == 201
        assert len(tenant.get("/v1/models").json()["items"]) == 1
        assert tenant.delete(first.headers["location"]).status_code == 204


def test_bytes(guarded: Api, tenant: httpx.Client) -> None:
    for number in range(ROUNDS):
        datasets = [tenant.post("/v1/datasets", json={"name": "d"}).json() for _ in range(2)]
        contents = [b"PK\x05\x06" + bytes([number, place]) * 300 for place in range(2)]

        def put(
            place: int, datasets: list[dict[str, str]] = datasets, contents: list[bytes] = contents
        ) -> httpx.Response:
            return tenant.put(datasets[place]["content_url"], content=contents[place])

        first, _second = raced(put)
        assert first.status_code == 202
        assert not guarded.leftovers()
        assert len([path for path in guarded.files() if path.parts[0] == "blobs"]) == 1
        # The same bytes in another data set take no room.
        other = next(one for one in datasets if one["id"] != first.json()["id"])
        same = next(content for content in contents if tenant.put(other["content_url"], content=content).is_success)
        assert len(same) == first.json()["content_size"]
        for dataset in datasets:
            assert tenant.delete(f"/v1/datasets/{dataset['id']}").status_code == 204


def test_live_audits(guarded: Api, tenant: httpx.Client) -> None:
    body = auditable(guarded, tenant)
    headers = {"Idempotency-Key": "once"}
    for _ in range(ROUNDS):
        first, _second = raced(lambda _: tenant.post("/v1/audits", json=body))
        assert first.status_code == 202
        with transaction(guarded.engine) as session:
            query = select(func.count()).select_from(AuditRow).where(AuditRow.status == "queued")
            assert session.scalar(query) == 1
        # A refusal is not what the key stands for.
        check_problem(tenant.post("/v1/audits", json=body, headers=headers), 409, "quota-exceeded")
        assert tenant.post(f"/v1/audits/{first.json()['id']}/cancel").status_code == 202
    assert tenant.post("/v1/audits", json=body, headers=headers).status_code == 202


def test_audit_minutes(guarded: Api, tenant: httpx.Client) -> None:
    """A live audit counts with its estimate, one that has ended with what it took, also after it was deleted."""
    limit(guarded, tenant, "--max-live-audits", "0", "--max-audit-minutes", "10")
    body = auditable(guarded, tenant, speed={"device_class": "cpu", "seconds_per_image": 0.1, "batch": 16})
    estimate = tenant.post("/v1/audits:estimate", json=body).json()["seconds"]
    assert 300 < estimate < 600
    for used in (0.0, 600 - estimate):
        first, second = raced(lambda _: tenant.post("/v1/audits", json=body))
        assert first.status_code == 202
        assert second.json()["detail"].endswith(f"with this one they would be {(used + 2 * estimate) / 60:.1f}.")
        assert tenant.post(f"/v1/audits/{first.json()['id']}/cancel").status_code == 202
        with transaction(guarded.engine) as session:
            row = session.get_one(AuditUsageRow, UUID(first.json()["id"]))
            assert (row.reserved_seconds, row.used_seconds) == (estimate, 0)
            row.used_seconds = 600 - estimate
        assert tenant.delete(f"/v1/audits/{first.json()['id']}").status_code == 204
    check_problem(tenant.post("/v1/audits", json=body), 409, "quota-exceeded")
    with transaction(guarded.engine) as session:
        session.execute(update(AuditUsageRow).values(created_at=func.now() - USAGE_WINDOW))
    live = tenant.post("/v1/audits", json=body)
    assert live.status_code == 202
    assert remove_usage(guarded.engine, USAGE_WINDOW) >= 2
    with transaction(guarded.engine) as session:
        assert session.scalars(select(AuditUsageRow.audit_id)).all() == [UUID(live.json()["id"])]


def test_others_have_their_own_room(guarded: Api, tenant: httpx.Client, make_key: Callable[..., str]) -> None:
    assert tenant.post("/v1/models", json=RECIPE | {"name": "one"}).status_code == 201
    headers = {"Authorization": f"Bearer {make_key('roomy')}"}
    for _ in range(3):
        answer = guarded.client.post("/v1/models", json=RECIPE | {"name": "m"}, headers=headers)
        assert answer.status_code == 201


def test_bytes_are_the_tenants_own(guarded: Api, tenant: httpx.Client) -> None:
    """Also for a database user to whom row security does not apply."""
    made = guarded.client.post("/v1/datasets", json={"name": "d"}).json()
    assert guarded.client.put(made["content_url"], content=b"PK\x05\x06" + bytes(500)).status_code == 202
    with transaction(guarded.engine) as session:
        name = tenant.headers["x-tenant"]
        tenant_id = session.scalars(select(TenantRow.id).where(TenantRow.name == name)).one()
    for owner, used in ((DEFAULT_TENANT, 504), (tenant_id, 0)):
        with transaction(TenantEngine(guarded.engine, owner)) as session:
            assert used_bytes(session) == used
            session.connection().exec_driver_sql("RESET ROLE")
            assert used_bytes(session) == used
    assert guarded.client.delete(f"/v1/datasets/{made['id']}").status_code == 204


def test_limits_of_the_settings(start_api: Callable[..., Api], broker_url: str) -> None:
    api = start_api(broker_url, MAX_TENANT_MODELS="2", RECONCILE_SECONDS="3600")
    statuses = [api.client.post("/v1/models", json=RECIPE | {"name": "m"}).status_code for _ in range(3)]
    assert statuses == [201, 201, 409]
