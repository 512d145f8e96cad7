"""Audits over HTTP with a real worker: pages, orders, exports, maps, idempotency, cancelling, deleting."""

import csv
import io
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.api.running_api import pages
from tests.api.test_contract_of_errors import check_problem
from tests.waiting import PATIENCE_SECONDS, RECIPE, upload, wait_for

PROTOCOL = {
    "micro_batch": 4,
    "measures": {"entropy": {}, "geometric_resilience": {"groups": ["flips"]}, "stability": {}},
}
VIEWS = ("spatial", "histogram", "flip_horizontal", "flip_vertical", "flips")
SAMPLES = 6


@pytest.fixture(scope="module")
def parts(dataset: dict[str, Any], models: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"dataset_id": dataset["id"], "model_ids": [models[f"cross_entropy_run{run}"]["id"] for run in (1, 2)]}


@pytest.fixture(scope="module")
def audit(service: httpx.Client, parts: dict[str, Any]) -> dict[str, Any]:
    body = parts | {"protocol": PROTOCOL, "sample_limit": SAMPLES}
    started = service.post("/v1/audits", json=body).json()
    return wait_for(service, f"/v1/audits/{started['id']}", "succeeded", "failed")


def test_pages_hold_every_score_once(service: httpx.Client, audit: dict[str, Any]) -> None:
    path = f"/v1/audits/{audit['id']}/samples"
    whole = pages(service, path, limit=1000)
    assert len(whole) == SAMPLES * (2 * len(VIEWS) + 1)
    for limit in (1, 4, 7):
        assert pages(service, path, limit=limit) == whole
    assert len({(row["sample"], row["model_id"], row["view"]) for row in whole}) == len(whole)
    assert {row["view"] for row in whole} == {*VIEWS, "pairs"}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_order_by_score(service: httpx.Client, audit: dict[str, Any], order: str) -> None:
    query = {"measure": "entropy", "view": "histogram", "order": order}
    rows = pages(service, f"/v1/audits/{audit['id']}/samples", limit=5, **query)
    scores = [row["score"] for row in rows]
    assert len(scores) == SAMPLES * 2
    assert scores == sorted(scores, reverse=order == "desc")


def test_filters(service: httpx.Client, audit: dict[str, Any], parts: dict[str, Any]) -> None:
    path = f"/v1/audits/{audit['id']}/samples"
    rows = pages(service, path, model_id=parts["model_ids"][1], label="face")
    assert {(row["model_id"], row["label"]) for row in rows} == {(parts["model_ids"][1], "face")}
    assert [row["model_id"] for row in pages(service, path, measure="stability")] == [None] * SAMPLES
    check_problem(service.get(path, params={"view": "noise@0.05"}), 422, "unknown-view")
    check_problem(service.get(path, params={"order": "asc"}), 422, "order-needs-one-view")
    check_problem(service.get(path, params={"cursor": "WzFd"}), 422, "invalid-cursor")


def test_exports_agree_with_pages(service: httpx.Client, audit: dict[str, Any]) -> None:
    path = f"/v1/audits/{audit['id']}/samples"
    whole = pages(service, path, limit=1000)
    texts = {kind: service.get(path, headers={"Accept": kind}) for kind in ("text/csv", "application/x-ndjson")}
    as_csv = list(csv.DictReader(io.StringIO(texts["text/csv"].text)))
    as_json = [json.loads(line) for line in texts["application/x-ndjson"].text.splitlines()]
    parquet = service.get(path, headers={"Accept": "application/vnd.apache.parquet"})
    as_parquet = pq.read_table(io.BytesIO(parquet.content)).to_pylist()
    kept = [{name: row[name] for name in as_csv[0]} for row in whole]
    assert as_json == as_parquet == kept
    assert [float(row["score"]) for row in as_csv] == [row["score"] for row in kept]


def test_maps(service: httpx.Client, audit: dict[str, Any], parts: dict[str, Any]) -> None:
    sample = service.get(f"/v1/audits/{audit['id']}/samples").json()["items"][0]["sample_id"]
    path = f"/v1/audits/{audit['id']}/samples/{sample}/map"
    check_problem(service.get(path), 422, "model-id-required")
    query = {"model_id": parts["model_ids"][0]}
    numbers = service.get(path, params=query).json()
    values = np.array(numbers["values"])
    assert values.shape == (numbers["height"], numbers["width"]) == (7, 7)
    assert (values.min(), values.max()) == (0, 1)
    flipped = service.get(path, params=query | {"view": "flip_vertical"}).json()
    assert flipped["values"] != numbers["values"]
    picture = service.get(path, params=query, headers={"Accept": "image/png"})
    assert Image.open(io.BytesIO(picture.content)).size == (224, 224)
    check_problem(service.get(path, params=query | {"view": "noise@1"}), 422, "unknown-view")
    check_problem(service.get(path, params={"model_id": str(uuid4())}), 404, "not-found")


def test_one_key_makes_one_audit(service: httpx.Client, parts: dict[str, Any]) -> None:
    body = parts | {"protocol": {"micro_batch": 4, "measures": {"entropy": {}}}, "sample_limit": 1}
    headers = {"Idempotency-Key": uuid4().hex}

    def submit(_: int) -> tuple[int, str]:
        answer = service.post("/v1/audits", json=body, headers=headers)
        return answer.status_code, answer.json()["id"]

    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(submit, range(50)))
    assert len(answers) == 1
    (status, audit_id) = answers.pop()
    assert status == 202
    check_problem(service.post("/v1/audits", json=body | {"name": "n"}, headers=headers), 422, "idempotency-key-reused")
    assert wait_for(service, f"/v1/audits/{audit_id}", "succeeded", "failed")["status"] == "succeeded"


def test_cancel_and_delete(service: httpx.Client, parts: dict[str, Any]) -> None:
    started = service.post("/v1/audits", json=parts).json()
    path = f"/v1/audits/{started['id']}"
    check_problem(service.get(f"{path}/results"), 409, "audit-not-finished")
    check_problem(service.delete(path), 409, "audit-not-finished")
    check_problem(service.delete(f"/v1/datasets/{parts['dataset_id']}"), 409, "dataset-in-use")
    check_problem(service.delete(f"/v1/models/{parts['model_ids'][0]}"), 409, "model-in-use")
    for _ in range(2):
        cancelled = service.post(f"{path}/cancel")
        assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
    check_problem(service.get(f"{path}/results"), 409, "audit-cancelled")
    assert service.delete(path).status_code == 204
    check_problem(service.get(path), 404, "not-found")


def test_cancelling_what_has_ended_changes_nothing(service: httpx.Client, audit: dict[str, Any]) -> None:
    path = f"/v1/audits/{audit['id']}"
    before = service.get(path).json()
    cancelled = service.post(f"{path}/cancel")
    assert (cancelled.status_code, cancelled.json()) == (202, before)
    assert service.get(f"{path}/results").status_code == 200


def test_events_of_a_real_worker(service: httpx.Client, parts: dict[str, Any]) -> None:
    samples = 80  # some seconds' work, so that it is seen on its way
    body = parts | {"protocol": PROTOCOL, "sample_limit": samples}
    path = f"/v1/audits/{service.post('/v1/audits', json=body).json()['id']}"
    names, done, ids = [], [], []
    with service.stream("GET", f"{path}/events", timeout=PATIENCE_SECONDS) as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                names.append(value)
            if name == "id":
                ids.append(value)
            if name == "data" and names[-1] == "progress":
                done.append(json.loads(value)["done"])
    assert (names[0], names[-1]) == ("status", "end")
    assert done == sorted(set(done))
    assert done[-1] == samples
    assert len(done) >= 2
    assert len(set(ids)) == len(ids) == len(names)
    audit = service.get(path).json()
    assert (audit["status"], audit["progress"]["done"]) == ("succeeded", samples)
    assert audit["progress"]["samples_per_second"] > 0


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model_ids": [str(uuid4())]}, 422, "unknown-models"),
        ({"dataset_id": str(uuid4())}, 422, "unknown-dataset"),
        ({"run_group_id": str(uuid4())}, 422, "validation-error"),
        ({"protocol": {"salience": {"target": 2}}}, 422, "target-out-of-range"),
        ({"protocol": {"salience": {"target_layer": "nowhere"}}}, 422, "target-layer-not-found"),
        ({"protocol": {"measures": {"entropy": {"headline": "other"}}}}, 422, "validation-error"),
        ({"protocol": {"measures": {}}}, 422, "validation-error"),
    ],
)
def test_refused_audits(
    service: httpx.Client, parts: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    check_problem(service.post("/v1/audits", json=parts | change), status, code)


def test_stability_needs_two_models(service: httpx.Client, parts: dict[str, Any]) -> None:
    alone = parts | {"model_ids": parts["model_ids"][:1], "sample_limit": 1}
    asked = alone | {"protocol": {"measures": {"stability": {}}}}
    check_problem(service.post("/v1/audits", json=asked), 422, "stability-needs-two-models")
    silent = service.post("/v1/audits", json=alone).json()
    assert "stability" not in silent["protocol"]["measures"]


def test_a_model_that_is_not_ready(service: httpx.Client, parts: dict[str, Any]) -> None:
    model = service.post("/v1/models", json=RECIPE | {"name": "waits"}).json()
    answer = service.post("/v1/audits", json=parts | {"model_ids": [model["id"]]})
    check_problem(answer, 409, "model-not-ready")


def test_rejected_models_say_why(service: httpx.Client) -> None:
    model = upload(service, "models", RECIPE | {"name": "bad"}, b"not a model")
    assert (model["status"], model["problem"]["code"]) == ("rejected", "model-invalid")
    weights = RECIPE | {"name": "other", "architecture": "resnet18"}
    from tests.waiting import WEIGHTS

    content = (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()
    model = upload(service, "models", weights, content)
    assert (model["status"], model["problem"]["code"]) == ("rejected", "model-architecture-mismatch")
    assert "conv1.weight" in model["problem"]["detail"] or "missing" in model["problem"]["detail"]


def test_protocols_list_every_option(service: httpx.Client) -> None:
    document = service.get("/v1/protocols").json()
    assert set(document["presets"]) == {"default", "explain2me-2023", "investigate"}
    assert {"equivariance", "sufficiency"} <= set(document["presets"]["investigate"]["measures"])
    assert document["presets"]["explain2me-2023"]["measures"]["entropy"]["headline"] == "histogram"
    options = {option["path"]: option for option in document["options"]}
    assert options["measures.noise_reaction.amount"]["default"] == 0.05
    assert options["measures.noise_reaction.amount"]["schema"]["maximum"] == 1
    assert options["measures.noise_reaction.deformations"]["default"] == []
    blur = next(one for one in document["deformations"] if one["kind"] == "gaussian_blur")
    assert (blur["by_severity"][0], blur["made_by"], blur["is_random"]) == ([1], "scikit-image", False)
    assert {"seed", "micro_batch", "salience.method", "measures.degradation.curve"} <= set(options)
