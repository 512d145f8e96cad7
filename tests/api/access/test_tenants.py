"""What one tenant has does not exist for another: every route of the OpenAPI document, with the other one's ids."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from prepare import build_archive

from app.embedded.ports import accepts, free_port
from tests import forked
from tests.map_sets.packing import png, zipped
from tests.registries.signing import created
from tests.registries.signing import send as deliver
from tests.waiting import PATIENCE_SECONDS, until, upload, views_of, wait_for

Json = dict[str, Any]

RUNS = ("cross_entropy_run1", "cross_entropy_run2")
MUTATION = """
from sqlalchemy import event
from app.cli import main
from app.db import session
event.remove(session._TenantSession, "do_orm_execute", session._restrict)
main()
"""
VOLATILE = {"date", "x-request-id", "ratelimit"}
KINDS = ("application/json", "text/csv", "image/png", "application/xml")


@pytest.fixture(scope="module")
def stranger(service: httpx.Client, open_folder: Path) -> Iterator[httpx.Client]:
    """Another tenant's client; the service's own one belongs to the tenant `default`."""
    environment = {name: value for name, value in os.environ.items() if name != "API_KEY_SECRET"}
    arguments = ("keys", "create", "--tenant", "stranger", "--scope", "audit:write")
    made = forked.run((*arguments, "--data", str(open_folder / "service")), environment)
    made.check_returncode()
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    with httpx.Client(base_url=service.base_url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


@pytest.fixture(scope="module")
def one_guard(service: httpx.Client, stranger: httpx.Client, open_folder: Path) -> Iterator[httpx.Client]:
    """The stranger at another API process, from whose queries the tenant's WHERE was taken away."""
    data, port = open_folder / "service", free_port()
    secret = (data / "api-key.secret").read_text()
    environment = os.environ | json.loads((data / "parts.json").read_text()) | {"API_KEY_SECRET": secret}
    arguments = ("serve", "--only", "api", "--port", str(port), "--data", str(open_folder / "mutant"))
    process = subprocess.Popen([sys.executable, "-c", MUTATION, *arguments], env=environment)
    until(lambda: accepts(port))
    headers = {"Authorization": stranger.headers["authorization"]}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client
    process.terminate()
    process.wait(PATIENCE_SECONDS)


BY_PROOF = ("POST", "/v1/hooks/{hook_id}/deliveries")
"""Whose caller's signature decides, and no key: without one nobody learns whether the hook is there."""
FIGURE = {"name": "radar", "form": "svg", "similarity": "cc"}
"""What a path holds that is no id."""


@pytest.fixture(scope="module", params=["stranger", "one_guard"])
def visitor(request: pytest.FixtureRequest) -> httpx.Client:
    """The stranger before both guards, and before the second one alone."""
    client: httpx.Client = request.getfixturevalue(request.param)
    return client


@pytest.fixture(scope="module")
def theirs(service: httpx.Client, dataset: Json, models: dict[str, Json]) -> Json:
    """One of everything that has an id, by the name of the id."""
    return _audited(service, dataset["id"], [models[run]["id"] for run in RUNS]) | _followed(service, dataset["id"])


def _audited(service: httpx.Client, dataset_id: str, runs: list[str]) -> Json:
    """An audit, and what it was made of."""
    group = service.post("/v1/run-groups", json={"name": "g", "model_ids": runs}).json()["id"]
    gate = service.post("/v1/gates", json={"name": "g", "conditions": ["entropy.spatial.mean <= 1"]}).json()["id"]
    body = {"dataset_id": dataset_id, "run_group_id": group, "gate_id": gate, "sample_limit": 4}
    protocol = {"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}
    audit = service.post("/v1/audits", json=body | {"protocol": protocol}).json()["id"]
    assert wait_for(service, f"/v1/audits/{audit}", "succeeded", "failed")["status"] == "succeeded"
    comparison = service.post("/v1/comparisons", json={"audit_ids": [audit], "by": "model"}).json()["id"]
    wait_for(service, f"/v1/comparisons/{comparison}", "succeeded")
    assert service.post(f"/v1/audits/{audit}/rescore", json={"similarity": "cc"}).status_code == 202
    views_of(service, audit)
    row = service.get(f"/v1/audits/{audit}/samples").json()["items"][0]
    sample, masks = row["sample_id"], zipped({row["sample"]: png(np.eye(9, dtype=np.uint8))})
    described = {"dataset_id": dataset_id, "name": "masks", "kind": "human"}
    return {
        "model_id": runs[0],
        "map_set_id": upload(service, "map-sets", described, masks)["id"],
        "dataset_id": dataset_id,
        "run_group_id": group,
        "gate_id": gate,
        "audit_id": audit,
        "sample_id": sample,
        "sample": sample,
        "comparison_id": comparison,
    }


def _followed(service: httpx.Client, dataset_id: str) -> Json:
    """A registry that is followed, and who is told."""
    webhook = {"url": "https://ci.example.com/salience", "events": ["audit.succeeded"]}
    connection = _made(service, "connections", name="c", kind="mlflow", url="https://mlflow.example.com")
    hook = _made(service, "hooks", name="h", kind="mlflow", connection_id=connection["id"])
    policed = {"connection_id": connection["id"], "dataset_id": dataset_id, "match": {"model": "faces"}}
    delivery = deliver(service, hook["id"], created("other"), secret=hook["secret"]).json()["delivery_id"]
    policy = _made(service, "policies", name="p", **policed)["id"]
    deliver(service, hook["id"], created("faces"), secret=hook["secret"])
    met = until(lambda: service.get(f"/v1/policies/{policy}/runs").json()["items"])
    return {
        "run_id": met[0]["id"],
        "webhook_id": _made(service, "webhooks", **webhook)["id"],
        "connection_id": connection["id"],
        "hook_id": hook["id"],
        "policy_id": policy,
        "delivery_id": delivery,
    }


def _made(service: httpx.Client, noun: str, **fields: Any) -> Json:
    answer = service.post(f"/v1/{noun}", json=fields)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


@pytest.fixture(scope="module")
def document(service: httpx.Client) -> Json:
    found: Json = service.get("/openapi.json").json()
    return found


def seen(answer: httpx.Response) -> tuple[int, Json, bytes]:
    """All of an answer that could tell anything."""
    headers = {name: value for name, value in answer.headers.items() if name not in VOLATILE}
    return answer.status_code, headers, answer.content.replace(answer.headers["x-request-id"].encode(), b"")


def operations(document: Json) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method in methods:
            yield method.upper(), path


def test_every_path_with_an_id(service: httpx.Client, visitor: httpx.Client, theirs: Json, document: Json) -> None:
    # The second guard is the database's, which hears of no kind.
    tried, kinds = 0, KINDS if visitor.base_url == service.base_url else KINDS[:1]
    for method, path in operations(document):
        if "{" not in path:
            continue
        real, random = (path.format(**ids, **FIGURE) for ids in (theirs, {name: uuid4() for name in theirs}))
        for accept in kinds:
            options: Json = {"headers": {"Accept": accept}}
            if method == "PUT":
                options["content"] = b"PK\x05\x06" + bytes(18)
            if method == "PATCH":
                options["json"] = {"enabled": True} if "webhook" in path else {"name": "mine"}
            if path.endswith("policies/{policy_id}/test"):
                options["json"] = {name: theirs[name] for name in ("hook_id", "delivery_id")}
            if path.endswith("/rescore"):
                options["json"] = {"similarity": "cc"}
            query: Json = {"params": {"model_id": theirs["model_id"]}} if path.endswith("/map") else {}
            answer = visitor.request(method, real, **options, **query)
            expected = 401 if (method, path) == BY_PROOF else 404
            assert answer.status_code == expected, (method, path)
            assert seen(answer) == seen(visitor.request(method, random, **options)), (method, path)
        if method == "GET":
            asked = {"model_id": theirs["model_id"]} if path.endswith("/map") else {}
            assert service.get(real, params=asked).status_code == 200, path
        tried += 1
    assert tried >= 20


def test_every_id_in_a_body(visitor: httpx.Client, theirs: Json, document: Json) -> None:
    """The answer may repeat the ids that the request named, and nothing else."""
    audit, model, dataset = theirs["audit_id"], theirs["model_id"], theirs["dataset_id"]
    group, gate = theirs["run_group_id"], theirs["gate_id"]
    whole = {"dataset_id": dataset, "model_ids": [model]}
    connection = theirs["connection_id"]
    told = {name: theirs[name] for name in ("hook_id", "delivery_id")}
    policed = {"name": "p", "connection_id": connection, "dataset_id": dataset, "match": {"model": "a"}}
    bodies: list[tuple[str, Json]] = [
        ("/v1/hooks", {"name": "h", "kind": "mlflow", "connection_id": connection}),
        ("/v1/policies", policed),
        (f"/v1/policies/{theirs['policy_id']}/test", told),
        ("/v1/run-groups", {"name": "g", "model_ids": [model, str(uuid4())]}),
        ("/v1/comparisons", {"audit_ids": [audit], "by": "model"}),
        *((path, whole) for path in ("/v1/audits", "/v1/audits:estimate")),
        ("/v1/audits", {"dataset_id": dataset, "run_group_id": group}),
        ("/v1/audits", {"dataset_id": dataset, "map_set_ids": [theirs["map_set_id"]]}),
        ("/v1/map-sets", {"dataset_id": dataset, "name": "m", "kind": "human"}),
        ("/v1/audits", whole | {"gate_id": gate, "baseline_audit_id": audit}),
    ]
    for path, body in bodies:
        text = json.dumps(body)
        random = text
        for name in theirs.values():
            random = random.replace(name, str(uuid4()))
        first, second = (visitor.post(path, json=json.loads(one)) for one in (text, random))
        assert first.status_code in {404, 422}, path
        assert without_ids(first, text) == without_ids(second, random), path
    schemas = document["components"]["schemas"]
    named = {name for kind in schemas if kind.endswith("Request") for name in schemas[kind].get("properties", {})}
    in_bodies = {name for name in named if name.endswith(("_id", "_ids"))}
    assert in_bodies == {name for _, body in bodies for name in body if name.endswith(("_id", "_ids"))}


def without_ids(answer: httpx.Response, body: str) -> tuple[int, Json, bytes]:
    status, headers, content = seen(answer)
    for part in body.split('"'):
        content = content.replace(part.encode(), b"ID") if len(part) == 36 else content
    return status, headers, content


def test_lists_filters_and_cursors(service: httpx.Client, visitor: httpx.Client, theirs: Json, document: Json) -> None:
    lists = [path for method, path in operations(document) if method == "GET" and "{" not in path]
    lists = [path for path in lists if "cursor" in str(document["paths"][path]["get"].get("parameters"))]
    lists.remove("/v1/workers")  # which work for everybody
    assert len(lists) == 11
    for path in lists:
        assert visitor.get(path).json() == {"items": [], "next_cursor": None}
        found = service.get(path, params={"limit": 1}).json()
        assert len(found["items"]) == 1
        if found["next_cursor"]:
            mixed = visitor.get(path, params={"cursor": found["next_cursor"]})
            assert mixed.json() == {"items": [], "next_cursor": None}
        for parameter in document["paths"][path]["get"]["parameters"]:
            if parameter["name"].endswith("_id"):
                filtered = {parameter["name"]: theirs[parameter["name"]]}
                assert service.get(path, params=filtered).json()["items"]
                assert visitor.get(path, params=filtered).json()["items"] == []


def test_the_same_idempotency_key_and_the_same_bytes(service: httpx.Client, stranger: httpx.Client) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    body = {"name": "same"}
    clients = (service, stranger)
    made = [client.post("/v1/datasets", json=body, headers=headers).json() for client in clients]
    assert made[0]["id"] != made[1]["id"]
    pairs = list(zip(clients, made, strict=True))
    archive = build_archive()
    puts = [client.put(one["content_url"], content=archive) for client, one in pairs]
    assert [put.status_code for put in puts] == [202, 202]
    assert puts[0].json()["content_digest"] == puts[1].json()["content_digest"]
    # The bytes are stored once; each keeps them as long as it wants.
    done = [wait_for(client, f"/v1/datasets/{one['id']}", "ready") for client, one in pairs]
    assert done[0]["digest"] == done[1]["digest"]
    assert service.delete(f"/v1/datasets/{made[0]['id']}").status_code == 204
    assert stranger.get(f"/v1/datasets/{made[1]['id']}/samples").json()["items"]
    assert stranger.delete(f"/v1/datasets/{made[1]['id']}").status_code == 204
