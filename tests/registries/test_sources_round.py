"""From a web server, a bucket and a folder to an audit: the same bytes give the same digests and numbers, however they
came.
"""

import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from app.policies.telling import NO_TAGS
from tests.datasets.packing import some_faces
from tests.registries.making import create
from tests.registries.mapped import OF_SAGEMAKER, SECRET, approved
from tests.registries.recorded_answers import DESCRIPTION
from tests.registries.test_s3 import KEY
from tests.registries.test_web import Quiet
from tests.storage.stores import Bucket, make_bucket
from tests.waiting import WEIGHTS, until, upload, wait_for

Json = dict[str, Any]
RUN = WEIGHTS / "cross_entropy_run1.safetensors"
IMAGES = 12


@pytest.fixture(scope="module")
def images() -> dict[str, bytes]:
    return some_faces(IMAGES)


@pytest.fixture(scope="module")
def folder(open_folder: Path, images: dict[str, bytes]) -> Path:
    """A version, the images, and an archive of them, below a root that the service allows."""
    folder = open_folder / "imports" / "round"
    (folder / "v1").mkdir(parents=True)
    (folder / "v1" / "faces.safetensors").write_bytes(RUN.read_bytes())
    (folder / "v1" / "salience.json").write_text(json.dumps(DESCRIPTION))
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for name, content in images.items():
            archive.writestr(name, content)
            (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "images" / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def uploaded(service: httpx.Client, folder: Path) -> Json:
    """The data set as people upload it: what every other way is held against."""
    return upload(service, "datasets", {"name": "uploaded"}, (folder / "images.zip").read_bytes())


@pytest.fixture(scope="module")
def bucket(folder: Path) -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        for path in folder.rglob("*"):
            if path.is_file():
                client.put_object(Bucket=made.name, Key=f"round/{path.relative_to(folder)}", Body=path.read_bytes())
        yield made


@pytest.fixture(scope="module")
def web(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_from_a_web_server(service: httpx.Client, web: str, folder: Path, uploaded: Json) -> None:
    connection = create(service, "connections", name="w", kind="http", url=web)["id"]

    def source(path: str) -> Json:
        digest = hashlib.sha256((folder / path).read_bytes()).hexdigest()
        return {"connection_id": connection, "uri": f"{web}/{path}#sha256={digest}"}

    audit = audited(service, source("v1/faces.safetensors"), source("images.zip"), uploaded)
    assert service.get(f"/v1/datasets/{audit['dataset_id']}").json()["source"]["file"] == "images.zip"


def test_from_a_bucket(service: httpx.Client, bucket: Bucket, uploaded: Json) -> None:
    connection = create(service, "connections", name="b", kind="s3", url=bucket.endpoint, auth=KEY)["id"]
    model, images = ({"connection_id": connection, "uri": f"s3://{bucket.name}/round/{of}"} for of in ("v1", "images"))
    audited(service, model, images | {"by_reference": False}, uploaded)
    archive = {"connection_id": connection, "uri": f"s3://{bucket.name}/round/images.zip"}
    taken = _fetched(service, "datasets", name="archive", source=archive)
    assert (taken["content_digest"], taken["digest"]) == (uploaded["content_digest"], uploaded["digest"])


def _packed_model() -> bytes:
    packed = io.BytesIO()
    files = {"model.safetensors": RUN.read_bytes(), "salience.json": json.dumps(DESCRIPTION).encode()}
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def test_from_a_model_package_of_sagemaker(service: httpx.Client, bucket: Bucket, uploaded: Json) -> None:
    """From its event to the audit: its version is where the event says, in one tar, below what the mapping says."""
    client = boto3.client("s3", endpoint_url=bucket.endpoint, region_name="us-east-1")
    for key in ("project/output/model.tar.gz", "project/output/model.tar.gz.sha256"):
        client.put_object(Bucket=bucket.name, Key=key, Body=_packed_model())
    connection = create(service, "connections", name="s", kind="s3", url=bucket.endpoint, auth=KEY)["id"]
    policy = {
        "name": "s",
        "connection_id": connection,
        "dataset_id": uploaded["id"],
        "match": {"model": "versionedmp-*"},
    }
    policy |= {"protocol": {"micro_batch": 4, "measures": {"entropy": {}}}}
    assert "whose mapping has `source`" in service.post("/v1/policies", json=policy).json()["detail"]
    mapping = OF_SAGEMAKER.model_dump(mode="json") | {"below": f"s3://{bucket.name}/project/"}
    hook = {"name": "s", "kind": "generic", "connection_id": connection, "secret": SECRET}
    for wrong in ({"below": "https://bucket.example/"}, {"source": None, "below": None}):
        assert service.post("/v1/hooks", json=hook | {"mapping": mapping | wrong}).status_code == 422
    hook_id = create(service, "hooks", **hook, mapping=mapping)["id"]
    create(service, "policies", **policy)
    path = f"/v1/hooks/{hook_id}/deliveries"
    event = approved(f"s3://{bucket.name}/project/output/model.tar.gz")
    sent = httpx.post(service.base_url.join(path), json=event, headers={"Authorization": f"Bearer {SECRET}"})
    assert sent.status_code == 202

    def ended() -> Json | None:
        (one,) = service.get(path).json()["items"]
        return one if one["outcome"] != "pending" else None

    log = until(ended)
    assert (log["outcome"], log["reason"]) == ("audited", NO_TAGS)
    model = service.get(f"/v1/models/{log['model_id']}").json()
    assert (model["name"], model["source"]["file"]) == ("versionedmp-p-idy6c3e1fiqj", "model.safetensors")
    assert model["content_digest"] == f"sha256:{hashlib.sha256(RUN.read_bytes()).hexdigest()}"
    audit = service.get(f"/v1/audits/{log['audit_id']}").json()
    assert (audit["status"], audit["name"]) == ("succeeded", "versionedmp-p-idy6c3e1fiqj 2")


def test_from_a_folder(service: httpx.Client, folder: Path, uploaded: Json) -> None:
    images = {"uri": f"file://{folder}/images", "by_reference": False}
    audited(service, {"uri": f"file://{folder}/v1"}, images, uploaded)
    outside = _fetched(service, "datasets", name="outside", source={"uri": f"file://{folder.parents[1]}/service"})
    assert (outside["status"], outside["problem"]["code"]) == ("rejected", "folder-not-allowed")
    for wrong in ({"uri": "s3://bucket/images"}, {"uri": "models:/faces/1"}, {"uri": "file:///srv/../etc"}):
        refused = service.post("/v1/datasets", json={"name": "d", "source": wrong})
        assert (refused.status_code, refused.json()["code"]) == (422, "validation-error")


def audited(service: httpx.Client, model: Json, images: Json, uploaded: Json) -> Json:
    """The audit of what both sources lead to; they are what was uploaded, to the last bit."""
    fetched = _fetched(service, "models", name="fetched", source=model)
    assert fetched["status"] == "ready", fetched["problem"]
    assert fetched["content_digest"] == f"sha256:{hashlib.sha256(RUN.read_bytes()).hexdigest()}"
    dataset = _fetched(service, "datasets", name="fetched", source=images)
    assert dataset["status"] == "ready", dataset["problem"]
    assert (dataset["digest"], dataset["sample_count"]) == (uploaded["digest"], IMAGES)
    asked = {
        "model_ids": [fetched["id"]],
        "dataset_id": dataset["id"],
        "protocol": {"micro_batch": 4, "measures": {"entropy": {}}},
    }
    audit = service.post("/v1/audits", json=asked).json()
    ended = wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended["problem"]
    return ended


def _fetched(service: httpx.Client, collection: str, **asked: Any) -> Json:
    made = create(service, collection, **asked)
    assert made["status"] == "fetching"
    return wait_for(service, f"/v1/{collection}/{made['id']}", "ready", "rejected")
