"""Results, scores and maps of an audit that is still running, or never came to its end."""

import csv
import io
import os
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from prepare import build_archive
from sqlalchemy import select

from app.audits.schemas import AuditRequest
from app.audits.service import request_audit
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import ShardRow
from app.settings import Settings
from tests.api.running_api import Api, check_problem
from tests.children import open_context
from tests.waiting import RECIPE, WEIGHTS, until
from worker.intake.datasets import index_dataset
from worker.intake.models import validate_model
from worker.lifecycle.context import WorkerContext
from worker.results.reducer import reduce_audit
from worker.shards.runner import run_claimed
from worker.shards.store import claim_shard
from worker.supervision.forkserver import Forkserver

RUNS = ("cross_entropy_run1", "cross_entropy_run2")
MEASURES = {"entropy": {}, "noise_reaction": {"curve": None}, "stability": {}}
SAMPLES, SHARD = 10, 4


@pytest.fixture(scope="module")
def served(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, RECONCILE_SECONDS="3600")


@pytest.fixture(scope="module")
def worker(served: Api, broker_url: str, forkserver: Forkserver) -> Iterator[WorkerContext]:
    """The worker's own functions on the API's database: a shard at a time."""
    url = served.engine.url.render_as_string(hide_password=False)
    settings = Settings(
        database_url=url, broker_url=broker_url, blob_store=str(served.folder), shard_samples=SHARD, threads=1
    )
    with open_context(settings, forkserver, f"test/{os.getpid()}") as context:
        yield context


@pytest.fixture(scope="module")
def parts(served: Api, worker: WorkerContext) -> dict[str, Any]:
    dataset = served.register("datasets")
    models = [served.register(**RECIPE, name=run) for run in RUNS]
    contents = [build_archive(), *((WEIGHTS / f"{run}.safetensors").read_bytes() for run in RUNS)]
    for resource, content in zip([dataset, *models], contents, strict=True):
        assert served.client.put(resource["content_url"], content=content).status_code == 202
    index_dataset(worker, UUID(dataset["id"]))
    for model in models:
        validate_model(worker, UUID(model["id"]))
    protocol = {"micro_batch": 4, "measures": MEASURES}
    ids = [model["id"] for model in models]
    return {"dataset_id": dataset["id"], "model_ids": ids, "protocol": protocol, "sample_limit": SAMPLES}


def begin(worker: WorkerContext, parts: dict[str, Any]) -> tuple[str, list[UUID]]:
    with transaction(worker.engine) as session:
        requested = request_audit(session, AuditRequest.model_validate(parts), worker.settings)
        shards = select(ShardRow).where(ShardRow.audit_id == requested.audit.id).order_by(ShardRow.ordinal)
        found = session.scalars(shards).all()
    assert [shard.stop - shard.start for shard in found[:2]] == [SHARD, SHARD]
    return f"/v1/audits/{requested.audit.id}", [shard.id for shard in found]


def run_shard(worker: WorkerContext, shard_id: UUID) -> None:
    with transaction(worker.engine) as session:
        claim = claim_shard(session, shard_id, worker.name, worker.settings.lease_seconds)
    if claim is not None:
        run_claimed(worker, claim)


def partial(api: Api, path: str) -> dict[str, Any]:
    answer = api.client.get(f"{path}/results", params={"partial": "true"})
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def total(document: dict[str, Any], view: str) -> dict[str, Any]:
    wanted = {"view": view, "group_by": "total", "group": "micro"}
    return next(summary for summary in document["summaries"] if wanted.items() <= summary.items())


def check_scores_so_far(served: Api, path: str, some: dict[str, Any]) -> None:
    """The scores and maps of one shard are there, and make the numbers of the document."""
    csv_text = served.client.get(f"{path}/samples", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(csv_text)))
    first = some["models"][0]["model_id"]
    scores = [float(row["score"]) for row in rows if (row["view"], row["model_id"]) == ("spatial", first)]
    assert len(scores) == total(some, "spatial")["n"] == SHARD
    assert total(some, "spatial")["mean"] == pytest.approx(np.mean(scores), abs=1e-12)
    page = served.client.get(f"{path}/samples", params={"measure": "stability"}).json()
    assert len(page["items"]) == total(some, "pairs")["n"] == SHARD
    sample = page["items"][0]["sample_id"]
    stored = served.client.get(f"{path}/samples/{sample}/map", params={"model_id": first})
    assert stored.status_code == 200


def test_results_so_far(served: Api, worker: WorkerContext, parts: dict[str, Any]) -> None:
    path, shards = begin(worker, parts)
    nothing = partial(served, path)
    assert (nothing["partial"], nothing["samples_done"], nothing["summaries"]) == (True, 0, [])
    run_shard(worker, shards[1])
    # A document that took long to make is told for a while.
    until(lambda: partial(served, path)["samples_done"] == SHARD)
    some = partial(served, path)
    assert (some["partial"], some["samples_done"], some["software"]) == (True, SHARD, None)
    check_problem(served.client.get(f"{path}/results"), 409, "audit-not-finished")
    check_scores_so_far(served, path, some)
    for shard_id in shards:
        run_shard(worker, shard_id)
    until(lambda: partial(served, path)["samples_done"] == SAMPLES)
    almost = partial(served, path)
    assert (almost["partial"], almost["samples_done"]) == (True, SAMPLES)
    reduce_audit(worker, UUID(path.rpartition("/")[2]))
    final = served.client.get(f"{path}/results").json()
    assert "partial" not in final
    whole = partial(served, path)
    assert (whole.pop("partial"), whole.pop("samples_done")) == (False, SAMPLES)
    assert whole == final
    # What only all maps together tell comes with the end: where they lie, stability's control and what follows from it.
    kept = final.keys() - {"software", "where_maps_lie", "findings", "summaries"}
    assert {name: almost[name] for name in kept} == {name: final[name] for name in kept}
    assert (almost["where_maps_lie"], len(final["where_maps_lie"])) == ([], len(final["models"]))
    before, after = ([row for row in one["summaries"] if row["model_id"]] for one in (almost, final))
    assert before == after
    assert total(almost, "pairs")["mean"] == total(final, "pairs")["mean"]
    assert total(almost, "pairs")["control_mean"] is None
    assert -1 <= total(final, "pairs")["control_mean"] <= 1
    assert {*nothing, *almost} == {*final, "partial", "samples_done"}


def test_a_cancelled_audit_keeps_what_it_has(served: Api, worker: WorkerContext, parts: dict[str, Any]) -> None:
    path, shards = begin(worker, parts)
    run_shard(worker, shards[0])
    served.client.post(f"{path}/cancel")
    check_problem(served.client.get(f"{path}/results"), 409, "audit-cancelled")
    assert (partial(served, path)["partial"], partial(served, path)["samples_done"]) == (True, SHARD)


def test_unknown_audits_and_values(served: Api) -> None:
    unknown = f"/v1/audits/{new_id()}/results"
    check_problem(served.client.get(unknown, params={"partial": "true"}), 404, "not-found")
    check_problem(served.client.get(unknown), 404, "not-found")
    check_problem(served.client.get(unknown, params={"partial": "perhaps"}), 422, "validation-error")
