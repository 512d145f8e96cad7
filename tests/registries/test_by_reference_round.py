"""Data sets by reference: listed where they lie, read by audits, held against the same images uploaded."""

import io
import os
import zipfile
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
import httpx
import pyarrow as pa
import pytest
from PIL import Image
from prepare import build_archive

from tests.datasets.hostile_archives import make_tar
from tests.datasets.image_tables import IMAGE, hugging, written
from tests.registries.loopback_hub import loopback_hub
from tests.registries.test_s3 import KEY
from tests.storage.stores import make_bucket
from tests.waiting import RECIPE, WEIGHTS, upload, wait_for

Json = dict[str, Any]
RUN = WEIGHTS / "cross_entropy_run1.safetensors"
IMAGES = 10
PROTOCOL = {"measures": {"entropy": {}, "geometric_resilience": {}}, "micro_batch": 4}


@pytest.fixture(scope="module")
def images() -> dict[str, bytes]:
    """Some of each label."""
    with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/"))
        return {name: archive.read(name) for name in names[:: len(names) // IMAGES][:IMAGES]}


@pytest.fixture(scope="module")
def folder(open_folder: Path, images: dict[str, bytes]) -> Path:
    folder = open_folder / "imports" / "by-reference"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def model(service: httpx.Client) -> Json:
    return upload(service, "models", RECIPE | {"name": "by reference"}, RUN.read_bytes())


@pytest.fixture(scope="module")
def uploaded_scores(service: httpx.Client, model: Json, images: dict[str, bytes]) -> list[Json]:
    """Of the same images as people upload them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    dataset = upload(service, "datasets", {"name": "the same"}, packed.getvalue())
    return scores(service, audit(service, model, dataset))


@pytest.fixture(scope="module")
def bucket(service: httpx.Client, images: dict[str, bytes]) -> Iterator[Json]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        for name, content in images.items():
            client.put_object(Bucket=made.name, Key=f"images/{name}", Body=content)
        connection = connected(service, kind="s3", url=made.endpoint, auth=KEY)
        yield {"connection_id": connection, "uri": f"s3://{made.name}/images", "url": made.endpoint}


@pytest.fixture(scope="module")
def hub(service: httpx.Client, images: dict[str, bytes]) -> Iterator[Json]:
    with loopback_hub() as server:
        server.files["datasets/ours/faces"] = images | {"README.md": b"# Faces"}
        connection = connected(service, kind="huggingface", url=server.url, auth={"token": "hf_token"})
        yield {"connection_id": connection, "uri": "hf://datasets/ours/faces"}


@pytest.fixture(scope="module")
def shards(images: dict[str, bytes]) -> dict[str, bytes]:
    """As WebDataset has them, three images each; their names are those of the images."""
    names = sorted(images)
    parts = [names[start : start + 3] for start in range(0, len(names), 3)]
    return {
        f"faces-{number:06}.tar": make_tar({name: images[name] for name in part}) for number, part in enumerate(parts)
    }


@pytest.fixture(scope="module")
def tables(images: dict[str, bytes]) -> dict[str, bytes]:
    """As `datasets` writes them: compressed, row groups of two images, labels as a ClassLabel."""
    names = sorted(images)
    labels = sorted({name.split("/")[0] for name in names})
    parts, found = [names[:4], names[4:]], {}
    for number, part in enumerate(parts):
        column = pa.array([{"bytes": images[name], "path": name} for name in part])
        label = [labels.index(name.split("/")[0]) for name in part]
        told = {"image": IMAGE, "label": {"names": labels, "_type": "ClassLabel"}}
        table = hugging({"image": column, "label": label}, **told)
        found[f"train-{number:05}-of-00002.parquet"] = written(table, row_group_size=2, compression="snappy")
    return found


@pytest.fixture(params=["folder", "bucket"])
def of_shards(service: httpx.Client, request: pytest.FixtureRequest, shards: dict[str, bytes]) -> Json:
    return listed(service, put(request, request.param, "shards", shards))


@pytest.fixture(params=["folder", "bucket"])
def of_tables(service: httpx.Client, request: pytest.FixtureRequest, tables: dict[str, bytes]) -> Json:
    return listed(service, put(request, request.param, "tables", tables))


def test_images_within_tars_are_audited_where_they_lie(
    service: httpx.Client, of_shards: Json, model: Json, images: dict[str, bytes], uploaded_scores: list[Json]
) -> None:
    """With the scores, bit for bit, of the same images uploaded."""
    is_listed(of_shards)
    some = sorted(images)[4]
    assert service.get(f"/v1/datasets/{of_shards['id']}/samples/{some}/image").content == images[some]
    assert scores(service, audit(service, model, of_shards)) == uploaded_scores
    assert {one["status"] for one in samples(service, of_shards)} == {"ready"}


def test_images_within_tables_are_audited_where_they_lie(
    service: httpx.Client, of_tables: Json, model: Json, images: dict[str, bytes], uploaded_scores: list[Json]
) -> None:
    """With the scores, bit for bit, of the same images uploaded; the names are those of a copy's."""
    is_listed(of_tables)
    found = samples(service, of_tables)
    assert (of_tables["splits"], {one["split"] for one in found}) == (["train"], {"train"})
    assert [one["label"] for one in found] == [name.split("/")[0] for name in sorted(images)]
    assert [one["sample"] for one in found[3:5]] == [
        "train-00000-of-00002/000003.png",
        "train-00001-of-00002/000000.png",
    ]
    shown = service.get(f"/v1/datasets/{of_tables['id']}/samples/{found[7]['sample']}/image")
    assert shown.content == images[sorted(images)[7]]
    audited = audit(service, model, of_tables)
    named = {one["sample"]: name for one, name in zip(found, sorted(images), strict=True)}
    ours = [one | {"sample": named[one["sample"]]} for one in scores(service, audited)]
    by_sample = ("sample", "measure", "view")
    assert sorted(ours, key=itemgetter(*by_sample)) == sorted(uploaded_scores, key=itemgetter(*by_sample))
    one_map = service.get(f"/v1/audits/{audited['id']}/samples/{found[7]['id']}/map", headers={"Accept": "image/png"})
    assert one_map.content[:4] == b"\x89PNG"


@pytest.mark.parametrize("kind", ["shards", "tables"])
def test_a_tar_or_a_table_that_changes(
    kind: str, service: httpx.Client, request: pytest.FixtureRequest, open_folder: Path, model: Json
) -> None:
    files: dict[str, bytes] = request.getfixturevalue(kind)
    source = put(request, "folder", f"changing-{kind}", files)
    dataset = listed(service, source)
    changed = max(files)
    (open_folder / "imports" / f"changing-{kind}" / changed).write_bytes(files[changed] + b"!")
    failed = audit(service, model, dataset, status="failed", measures={"entropy": {}}, seed=7)
    assert failed["problem"]["code"] == "artifact-corrupted"
    assert changed in failed["problem"]["detail"]
    # Behind the same size and time, other bytes: of an image that was read before, or of a table's, the sum tells.
    if kind == "tables":
        path = open_folder / "imports" / f"changing-{kind}" / changed
        path.write_bytes(files[changed])
        dataset = listed(service, source)
        seen = path.stat()
        place = files[changed].index(b"IDAT") + 40
        path.write_bytes(files[changed][:place] + b"!!!!" + files[changed][place + 4 :])
        os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
        failed = audit(service, model, dataset, status="failed", measures={"entropy": {}}, seed=8)
        assert failed["problem"]["code"] == "artifact-corrupted"


@pytest.mark.parametrize("kind", ["folder", "bucket", "hub"])
def test_images_are_audited_where_they_lie(
    kind: str,
    service: httpx.Client,
    request: pytest.FixtureRequest,
    model: Json,
    images: dict[str, bytes],
    uploaded_scores: list[Json],
) -> None:
    """With the scores, bit for bit, of the same images uploaded."""
    lies = request.getfixturevalue(kind)
    where = {"uri": f"file://{lies}"} if isinstance(lies, Path) else lies
    source = {name: value for name, value in where.items() if name != "url"}
    dataset = listed(service, source)
    is_listed(dataset)
    assert dataset["digest"].startswith("listing:sha256:")
    assert dataset["labels"] == sorted({name.split("/")[0] for name in images})
    before = samples(service, dataset)
    assert {(one["status"], one["width"]) for one in before} == {("unexamined", None)}
    some = before[0]["sample"]
    assert service.get(f"/v1/datasets/{dataset['id']}/samples/{some}/image").content == images[some]
    assert scores(service, audit(service, model, dataset)) == uploaded_scores
    for one in samples(service, dataset):
        with Image.open(io.BytesIO(images[one["sample"]])) as image:
            assert (one["status"], one["width"], one["height"]) == ("ready", *image.size)
    assert listed(service, source)["digest"] == dataset["digest"]


def test_what_is_found_when_it_is_read(
    service: httpx.Client, open_folder: Path, images: dict[str, bytes], model: Json, uploaded_scores: list[Json]
) -> None:
    """An image that cannot be decoded is listed and has no scores; all others have those that they would have."""
    folder = open_folder / "imports" / "broken"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    broken = sorted(images)[3]
    (folder / broken).write_bytes(images[broken][:40])
    (folder / "notes.txt").write_text("no image")
    dataset = listed(service, {"uri": f"file://{folder}"})
    assert (dataset["sample_count"], dataset["skipped"]) == (IMAGES, {"not-an-image": 1})
    found = scores(service, audit(service, model, dataset))
    assert [one for one in found if one["sample"] != broken] == [
        one for one in uploaded_scores if one["sample"] != broken
    ]
    of_broken = [one for one in found if one["sample"] == broken]
    assert {(one["score"], one["undefined_reason"], one["predicted_label"]) for one in of_broken} == {
        (None, "unreadable", None)
    }
    [told] = samples(service, dataset, status="unreadable")
    assert (told["sample"], told["problem"]["code"]) == (broken, "sample-corrupt")
    assert service.get(f"/v1/datasets/{dataset['id']}").json()["unreadable_count"] == 1
    # Another audit of the same data set finds the same.
    again = scores(service, audit(service, model, dataset, measures={"entropy": {}}))
    assert {one["sample"] for one in again if one["undefined_reason"] == "unreadable"} == {broken}


def test_an_image_that_changes(service: httpx.Client, open_folder: Path, images: dict[str, bytes], model: Json) -> None:
    folder = open_folder / "imports" / "changing"
    for name, content in images.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    dataset = listed(service, {"uri": f"file://{folder}"})
    changed = max(images)
    seen = (folder / changed).stat()
    (folder / changed).write_bytes(images[changed] + b"!")
    failed = audit(service, model, dataset, status="failed")
    assert failed["problem"]["code"] == "artifact-corrupted"
    assert changed in failed["problem"]["detail"]
    shown = service.get(f"/v1/datasets/{dataset['id']}/samples/{changed}/image")
    assert (shown.status_code, shown.json()["code"]) == (410, "artifact-corrupted")
    # Put back as it was, it is what was listed.
    (folder / changed).write_bytes(images[changed])
    os.utime(folder / changed, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    audit(service, model, dataset)
    # Behind the same size and time, other bytes: what was read before tells.
    (folder / changed).write_bytes(bytes(len(images[changed])))
    os.utime(folder / changed, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    failed = audit(service, model, dataset, status="failed", measures={"entropy": {}, "noise_reaction": {}})
    assert (failed["problem"]["code"], changed in failed["problem"]["detail"]) == ("artifact-corrupted", True)


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


def listed(service: httpx.Client, source: Json) -> Json:
    made = service.post("/v1/datasets", json={"name": "listed", "source": source})
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
