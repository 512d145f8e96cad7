"""A tar or a table that is named itself, by reference, held against the same file uploaded."""

from operator import itemgetter
from pathlib import Path
from typing import Any

import boto3
import httpx
import pyarrow as pa
import pytest

from tests.datasets.image_tables import IMAGE, hugging, written
from tests.datasets.packing import make_tar
from tests.registries.by_reference.rounds import Json, audit, is_listed, listed, samples, scores
from tests.waiting import upload

NAMES = {"tar": "faces-000.tar", "table": "faces.parquet"}
BY_SAMPLE = itemgetter("sample", "measure", "view")


@pytest.fixture(scope="module")
def files(images: dict[str, bytes]) -> dict[str, bytes]:
    names = sorted(images)
    column = pa.array([{"bytes": images[name], "path": name} for name in names])
    labels = [name.split("/")[0] for name in names]
    told = {"image": IMAGE, "label": {"dtype": "string", "_type": "Value"}}
    table = hugging({"image": column, "label": labels}, **told)
    return {"tar": make_tar(images), "table": written(table, row_group_size=4, compression="snappy")}


@pytest.fixture(scope="module")
def scores_of(service: httpx.Client, model: Json, files: dict[str, bytes]) -> dict[str, list[Json]]:
    """Of each file uploaded."""
    found = {}
    for kind, content in files.items():
        dataset = upload(service, "datasets", {"name": kind, "columns": columns(kind)}, content)
        found[kind] = scores(service, audit(service, model, dataset))
    return found


def columns(kind: str) -> Json | None:
    return {"label": "label"} if kind == "table" else None


def put_alone(where: str, kind: str, request: pytest.FixtureRequest, content: bytes) -> Json:
    """The source that it is, beside other files."""
    name = NAMES[kind]
    if where == "folder":
        folder: Path = request.getfixturevalue("open_folder") / "imports" / f"alone-{kind}"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        (folder / f"{name}.old").write_bytes(b"no tar")
        return {"uri": f"file://{folder}/{name}"}
    if where == "hub":
        hub: Json = request.getfixturevalue("hub")
        hub["server"].files["datasets/ours/alone"] = {f"data/{name}": content, "data/other.tar": b"no tar"}
        return {"connection_id": hub["connection_id"], "uri": f"hf://datasets/ours/alone@main/data/{name}"}
    bucket: Json = request.getfixturevalue("bucket")
    client: Any = boto3.client("s3", endpoint_url=bucket["url"], region_name="us-east-1")
    client.put_object(Bucket=bucket["name"], Key=name, Body=content)
    return {"connection_id": bucket["connection_id"], "uri": f"s3://{bucket['name']}/{name}"}


@pytest.mark.parametrize(("where", "kind"), [("bucket", "tar"), ("hub", "tar"), ("bucket", "table")])
def test_it_is_audited_where_it_lies(
    where: str,
    kind: str,
    service: httpx.Client,
    model: Json,
    files: dict[str, bytes],
    scores_of: dict[str, list[Json]],
    request: pytest.FixtureRequest,
) -> None:
    """With the scores, bit for bit, of the same file uploaded; a table's images are called after it."""
    dataset = listed(service, put_alone(where, kind, request, files[kind]), columns=columns(kind))
    is_listed(dataset)
    assert (dataset["source"]["file"], dataset["source"]["by_reference"]) == (
        NAMES[kind] if where != "hub" else f"data/{NAMES[kind]}",
        True,
    )
    assert {one["status"] for one in samples(service, dataset)} == {"unexamined"}
    found = scores(service, audit(service, model, dataset))
    renamed = [one | {"sample": one["sample"].replace("faces/0", "table/0")} for one in found]
    assert sorted(renamed, key=BY_SAMPLE) == sorted(scores_of[kind], key=BY_SAMPLE)


@pytest.mark.parametrize("kind", ["tar", "table"])
def test_a_file_that_changes(
    kind: str, service: httpx.Client, model: Json, files: dict[str, bytes], request: pytest.FixtureRequest
) -> None:
    source = put_alone("folder", kind, request, files[kind])
    dataset = listed(service, source, columns=columns(kind))
    Path(source["uri"].removeprefix("file://")).write_bytes(files[kind] + b"!")
    failed = audit(service, model, dataset, status="failed", measures={"entropy": {}}, seed=7)
    assert (failed["problem"]["code"], NAMES[kind] in failed["problem"]["detail"]) == ("artifact-corrupted", True)
