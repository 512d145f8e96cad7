"""One key, one resource: for every POST that makes something, whoever sends it how often and at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update

from app.db.session import transaction
from app.db.tables import AuditRow, DatasetRow, GateRow, IdempotencyKeyRow, ModelRow, RunGroupRow, ShardRow
from app.domain.vocabulary import ResourceStatus
from tests.api.running_api import Api, check_problem
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS, RECIPE

PROBE: dict[str, object] = {"parameter_count": 5, "classes": 2, "map_height": 7, "map_width": 7, "map_channels": 4}
PROBE |= {"target_layer": "conv5"}
TABLES = {
    "models": ModelRow,
    "datasets": DatasetRow,
    "run-groups": RunGroupRow,
    "gates": GateRow,
    "audits": AuditRow,
}


@pytest.fixture(scope="module")
def bodies(api: Api) -> dict[str, dict[str, Any]]:
    """A body for every collection; models and the data set are as the worker would have left them."""
    models = [api.register() for _ in range(2)]
    for model in models:
        api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=PROBE | {"candidate_layers": []})
    dataset = api.register("datasets")
    api.set_row(DatasetRow, dataset, status=ResourceStatus.READY, sample_count=200, labels=["face", "non_face"])
    ids = [model["id"] for model in models]
    return {
        "models": RECIPE | {"name": "m", "metadata": {"big": 10**400, "ä": [1e-7, None]}},
        "datasets": {"name": "d"},
        "run-groups": {"name": "g", "model_ids": ids},
        "gates": {"name": "focused", "conditions": ["entropy.spatial.mean <= 0.85"]},
        "audits": {"dataset_id": dataset["id"], "model_ids": ids},
    }


def count(api: Api, collection: str) -> int:
    with transaction(api.engine) as session:
        return session.scalar(select(func.count()).select_from(TABLES[collection])) or 0


@pytest.mark.parametrize("collection", TABLES)
def test_fifty_at_once_make_one(api: Api, bodies: dict[str, Any], collection: str) -> None:
    headers, before = {"Idempotency-Key": uuid4().hex}, count(api, collection)

    def submit(_: int) -> tuple[int, str, bytes]:
        answer = client.post(f"/v1/{collection}", json=bodies[collection], headers=headers)
        return answer.status_code, answer.headers.get("location", ""), answer.content

    one_client = httpx.Client(base_url=api.client.base_url, headers=HEADERS, timeout=PATIENCE_SECONDS)
    with one_client as client, ThreadPoolExecutor(50) as pool:
        answers = set(pool.map(submit, range(50)))
    assert len(answers) == 1
    status, location, _ = answers.pop()
    assert status == (202 if collection == "audits" else 201)
    assert api.client.get(location).status_code == 200
    assert count(api, collection) == before + 1


@pytest.mark.parametrize("collection", TABLES)
def test_the_same_key_for_something_else(api: Api, bodies: dict[str, Any], collection: str) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    first = api.client.post(f"/v1/{collection}", json=bodies[collection], headers=headers)
    other = api.client.post(f"/v1/{collection}", json=bodies[collection] | {"name": "other"}, headers=headers)
    check_problem(other, 422, "idempotency-key-reused")
    again = api.client.post(f"/v1/{collection}", json=bodies[collection], headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json())


def test_keys_belong_to_their_path(api: Api, bodies: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    made = [api.client.post(f"/v1/{name}", json=bodies[name], headers=headers).json()["id"] for name in TABLES]
    assert len(set(made)) == len(TABLES)


def test_without_a_key_each_is_new(api: Api, bodies: dict[str, Any]) -> None:
    made = {api.client.post("/v1/datasets", json=bodies["datasets"]).json()["id"] for _ in range(3)}
    assert len(made) == 3


@pytest.mark.parametrize("collection", TABLES)
@pytest.mark.parametrize("key", ["", "x" * 256, "ä", "a\tb"])
def test_keys_that_are_none(api: Api, bodies: dict[str, Any], collection: str, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode()}
    answer = api.client.post(f"/v1/{collection}", json=bodies[collection], headers=headers)
    check_problem(answer, 422, "validation-error")
    assert answer.json()["errors"][0]["loc"][0] == "header"


def test_a_refused_request_leaves_its_key_free(api: Api, bodies: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    body = bodies["run-groups"]
    refused = api.client.post("/v1/run-groups", json=body | {"model_ids": [str(uuid4())] * 2}, headers=headers)
    assert refused.status_code == 422
    unknown = body | {"model_ids": [str(uuid4()), str(uuid4())]}
    check_problem(api.client.post("/v1/run-groups", json=unknown, headers=headers), 422, "unknown-models")
    assert api.client.post("/v1/run-groups", json=body, headers=headers).status_code == 201


def test_an_expired_key_is_free(api: Api, bodies: dict[str, Any]) -> None:
    key = uuid4().hex
    headers, body = {"Idempotency-Key": key}, bodies["datasets"]
    first = api.client.post("/v1/datasets", json=body, headers=headers).json()["id"]
    with transaction(api.engine) as session:
        row = IdempotencyKeyRow
        old = update(row).where(row.key == key).values(created_at=row.created_at - timedelta(hours=25))
        session.execute(old)
    second = api.client.post("/v1/datasets", json=body | {"name": "other"}, headers=headers)
    assert second.status_code == 201
    assert second.json()["id"] != first
    assert api.client.post("/v1/datasets", json=body | {"name": "other"}, headers=headers).json() == second.json()


def test_an_audit_has_its_shards_once(api: Api, bodies: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    ids = {api.client.post("/v1/audits", json=bodies["audits"], headers=headers).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    with transaction(api.engine) as session:
        ranges = session.execute(
            select(ShardRow.start, ShardRow.stop).where(ShardRow.audit_id == UUID(ids.pop())).order_by(ShardRow.start)
        ).all()
    assert [start for start, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])]
    assert ranges[-1][1] == 200
