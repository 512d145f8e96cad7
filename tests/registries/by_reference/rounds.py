"""Data sets that stay where they are, at a running service: put there, registered, audited."""

from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from tests.waiting import wait_for

Json = dict[str, Any]
IMAGES = 10
PROTOCOL = {"measures": {"entropy": {}, "geometric_resilience": {}}, "micro_batch": 4}


def put(request: pytest.FixtureRequest, where: str, folder: str, files: dict[str, bytes]) -> Json:
    """The source that they are as a folder of that name."""
    if where == "bucket":
        source: Json = request.getfixturevalue("bucket")
        bucket = source["uri"].removeprefix("s3://").partition("/")[0]
        client = boto3.client("s3", endpoint_url=source["url"], region_name="us-east-1")
        for name, content in files.items():
            client.put_object(Bucket=bucket, Key=f"{folder}/{name}", Body=content)
        return {"connection_id": source["connection_id"], "uri": f"s3://{bucket}/{folder}"}
    path: Path = request.getfixturevalue("open_folder") / "imports" / folder
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    return {"uri": f"file://{path}"}


def connected(service: httpx.Client, **connection: Any) -> str:
    made = service.post("/v1/connections", json={"name": "by reference", **connection})
    assert made.status_code == 201, made.text
    found: str = made.json()["id"]
    return found


def listed(service: httpx.Client, source: Json, **options: Any) -> Json:
    made = service.post("/v1/datasets", json={"name": "listed", "source": source, **options})
    assert made.status_code == 201, made.text
    dataset = wait_for(service, f"/v1/datasets/{made.json()['id']}", "ready", "rejected")
    assert dataset["status"] == "ready", dataset["problem"]
    return dataset


def is_listed(dataset: Json) -> None:
    """It is ready, and nobody has read what is in it."""
    assert (dataset["status"], dataset["content_digest"], dataset["sample_count"]) == ("ready", None, IMAGES)


def samples(service: httpx.Client, dataset: Json, **wanted: str) -> list[Json]:
    found: list[Json] = service.get(f"/v1/datasets/{dataset['id']}/samples", params=wanted).json()["items"]
    return found


def audit(service: httpx.Client, model: Json, dataset: Json, status: str = "succeeded", **protocol: Any) -> Json:
    asked = {"model_ids": [model["id"]], "dataset_id": dataset["id"], "protocol": PROTOCOL | protocol}
    made = service.post("/v1/audits", json=asked)
    assert made.status_code == 202, made.text
    ended = wait_for(service, f"/v1/audits/{made.json()['id']}", "succeeded", "failed")
    assert ended["status"] == status, ended["problem"]
    return ended


def scores(service: httpx.Client, audited: Json) -> list[Json]:
    """By sample and view, without what two audits cannot share."""
    answer = service.get(f"/v1/audits/{audited['id']}/samples", params={"limit": 1000}).json()
    kept = ("sample", "measure", "view", "score", "undefined_reason", "predicted_label")
    return [{name: one[name] for name in kept} for one in answer["items"]]
