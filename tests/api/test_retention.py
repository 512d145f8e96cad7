"""What retention settings let go, and what stays: rows in real Postgres, answers over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, update

from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import (
    AuditModelRow,
    AuditResultsRow,
    AuditRow,
    CleanSourceRow,
    DatasetRow,
    IdempotencyKeyRow,
    MapSetRow,
    ModelRow,
    SampleRow,
    SampleScoresRow,
)
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import AuditStatus, ResourceStatus
from app.housekeeping.housekeeper import Housekeeper
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.api.running_api import Api, check_problem
from tests.factories import audit_row, sample_row
from tests.waiting import until


class Days(TypedDict, total=False):
    """What is kept for how long."""

    keep_awaiting_days: float
    keep_maps_days: float
    keep_scores_days: float


RESULTS: dict[str, Any] = {"models": [], "summaries": [], "across_models": [], "performance": []}
DAYS: Days = {"keep_awaiting_days": 7.0, "keep_maps_days": 30.0, "keep_scores_days": 90.0}


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, RECONCILE_SECONDS="3600")


def sweep(api: Api, **days: Unpack[Days]) -> dict[str, int]:
    """Once the API's own first round is over: of two at a time one does nothing."""
    settings = Settings(blob_store=str(api.folder), **days)
    housekeeper = Housekeeper(api.engine, BlobStore.from_settings(settings), settings)
    rounds: list[dict[str, int]] = []

    def swept() -> bool:
        rounds.append(housekeeper.round())
        return bool(rounds[-1])

    until(swept)
    return rounds[-1]


def add_audit(engine: Engine, model: str, dataset: str, *, status: AuditStatus, days: float) -> UUID:
    """With one scored sample, its map and results."""
    audit_id, sample_id = new_id(), new_id()
    protocol = ProtocolRequest.model_validate({"measures": {"entropy": {}}}).resolve()
    is_over = status not in {AuditStatus.QUEUED, AuditStatus.RUNNING}
    finished = func.clock_timestamp() - timedelta(days=days) if is_over else None
    with transaction(engine) as session:
        session.add(
            audit_row(
                UUID(dataset),
                id=audit_id,
                protocol=protocol.to_json(),
                protocol_digest=protocol.digest(),
                sample_count=1,
                status=status,
                finished_at=finished,
            )
        )
        session.add(sample_row(UUID(dataset), id=sample_id, name=uuid4().hex, position=None))
        session.flush()
        session.add(AuditModelRow(audit_id=audit_id, ordinal=0, model_id=UUID(model)))
        scores = SampleScoresRow(audit_id=audit_id, model_ordinal=0, ordinal=0, sample_id=sample_id, scores=[0.5, 0.5])
        scores.predicted, scores.maps, scores.map_height, scores.map_width = [0], b"\0\0\x80\x3f", 1, 1
        session.add(CleanSourceRow(key="k", audit_id=audit_id, model_ordinal=0, start=0, stop=1))
        session.add_all(
            [scores, AuditResultsRow(audit_id=audit_id, document=RESULTS | {"protocol": protocol.to_json()})]
        )
    return audit_id


def answers(api: Api, audit_id: UUID) -> tuple[int, int, int]:
    """Of the scores, a map and the results."""
    path = f"/v1/audits/{audit_id}"
    with transaction(api.engine) as session:
        audit = session.get_one(AuditRow, audit_id)
        sample = session.scalar(select(SampleRow.id).where(SampleRow.dataset_id == audit.dataset_id))
    found = (api.client.get(f"{path}{end}") for end in ("/samples", f"/samples/{sample}/map", "/results"))
    first, second, third = (answer.status_code for answer in found)
    return first, second, third


ALWAYS = {
    "half uploads",
    "idempotency keys",
    "usage",
    "orphaned blobs",
    "changed images",
    "deliveries",
    "old encryption",
}
"""What is swept up without a setting that says so."""


def test_scores_and_maps(api: Api) -> None:
    registered = api.register()
    model = registered["id"]
    api.set_row(ModelRow, registered, status=ResourceStatus.READY, probe={"classes": 2})
    datasets = [api.register("datasets")["id"] for _ in range(5)]
    ended = AuditStatus.SUCCEEDED
    new, old, older, running, failed = (
        add_audit(api.engine, model, dataset, status=status, days=days)
        for dataset, status, days in zip(
            datasets,
            (ended, ended, ended, AuditStatus.RUNNING, AuditStatus.FAILED),
            (29.0, 31.0, 91.0, 500.0, 500.0),
            strict=True,
        )
    )
    assert sweep(api).keys() == ALWAYS
    assert answers(api, older) == (200, 200, 200)
    removed = sweep(api, **DAYS)
    assert (removed["maps"], removed["scores"]) == (3, 2)
    assert answers(api, new) == (200, 200, 200)
    assert answers(api, old) == (200, 410, 200)
    assert answers(api, older) == (410, 410, 200)
    assert answers(api, running) == (200, 200, 409)
    assert answers(api, failed) == (410, 410, 409)
    check_problem(api.client.get(f"/v1/audits/{older}/samples"), 410, "scores-removed")
    csv = api.client.get(f"/v1/audits/{older}/samples", headers={"Accept": "text/csv"})
    check_problem(csv, 410, "scores-removed")
    check_problem(api.client.get(f"/v1/audits/{failed}/results?partial=true"), 410, "scores-removed")
    with transaction(api.engine) as session:
        lenders = set(session.scalars(select(CleanSourceRow.audit_id)))
    assert lenders == {new, running}
    compared = api.client.post("/v1/comparisons", json={"audit_ids": [str(new), str(older)]})
    check_problem(compared, 410, "scores-removed")
    shown: dict[str, Any] = api.client.get(f"/v1/audits/{old}").json()
    assert shown["scores_removed_at"] is None
    assert shown["maps_removed_at"] is not None
    again = sweep(api, **DAYS)
    assert (again["maps"], again["scores"]) == (0, 0)


def test_registrations_without_content(api: Api) -> None:
    paths = {ModelRow: "models", DatasetRow: "datasets", MapSetRow: "map-sets"}

    def age(table: type[ModelRow | DatasetRow | MapSetRow], resource: dict[str, Any], days: float) -> str:
        api.set_row(table, resource, updated_at=func.clock_timestamp() - timedelta(days=days))
        return f"/v1/{paths[table]}/{resource['id']}"

    grouped = [api.register() for _ in range(2)]
    body = {"name": "g", "model_ids": [model["id"] for model in grouped]}
    assert api.client.post("/v1/run-groups", json=body).status_code == 201
    ready = api.register()
    api.set_row(ModelRow, ready, status=ResourceStatus.READY, probe={"candidate_layers": []})
    kept = [age(ModelRow, model, 8) for model in [*grouped, ready]] + [age(ModelRow, api.register(), 6)]
    gone = [age(ModelRow, api.register(), 8), age(DatasetRow, api.register("datasets"), 8)]
    dataset = api.register("datasets")
    api.set_row(DatasetRow, dataset, status=ResourceStatus.READY)
    body = {"name": "m", "kind": "human", "dataset_id": dataset["id"]}
    answer = api.client.post("/v1/map-sets", json=body)
    assert answer.status_code == 201, answer.text
    gone.append(age(MapSetRow, answer.json(), 8))
    assert "registrations" not in sweep(api)
    assert sweep(api, **DAYS)["registrations"] == 3
    assert {api.client.get(path).status_code for path in kept} == {200}
    assert {api.client.get(path).status_code for path in gone} == {404}


def test_idempotency_keys(api: Api) -> None:
    keys = [uuid4().hex for _ in range(2)]
    for key in keys:
        api.client.post("/v1/datasets", json={"name": "d"}, headers={"Idempotency-Key": key})
    row = IdempotencyKeyRow
    with transaction(api.engine) as session:
        old = func.clock_timestamp() - timedelta(hours=25)
        session.execute(update(row).where(row.key == keys[0]).values(created_at=old))
    assert sweep(api)["idempotency keys"] == 1
    with transaction(api.engine) as session:
        assert session.scalars(select(row.key).where(row.key.in_(keys))).all() == [keys[1]]
