"""The same images as people upload them, and where else they lie."""

import io
import zipfile
from collections.abc import Iterator

import boto3
import httpx
import pyarrow as pa
import pytest

from tests.datasets.image_tables import IMAGE, hugging, written
from tests.datasets.packing import make_tar, some_faces
from tests.registries.by_reference.rounds import IMAGES, Json, audit, connected, scores
from tests.registries.loopback_hub import loopback_hub
from tests.registries.test_s3 import KEY
from tests.storage.stores import make_bucket
from tests.waiting import RECIPE, WEIGHTS, upload

RUN = WEIGHTS / "cross_entropy_run1.safetensors"


@pytest.fixture(scope="package")
def images() -> dict[str, bytes]:
    return some_faces(IMAGES)


@pytest.fixture(scope="package")
def model(service: httpx.Client) -> Json:
    return upload(service, "models", RECIPE | {"name": "by reference"}, RUN.read_bytes())


@pytest.fixture(scope="package")
def uploaded_scores(service: httpx.Client, model: Json, images: dict[str, bytes]) -> list[Json]:
    """Of the same images as people upload them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    dataset = upload(service, "datasets", {"name": "the same"}, packed.getvalue())
    return scores(service, audit(service, model, dataset))


@pytest.fixture(scope="package")
def bucket(service: httpx.Client, images: dict[str, bytes]) -> Iterator[Json]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        for name, content in images.items():
            client.put_object(Bucket=made.name, Key=f"images/{name}", Body=content)
        connection = connected(service, kind="s3", url=made.endpoint, auth=KEY)
        yield {"connection_id": connection, "uri": f"s3://{made.name}/images", "url": made.endpoint, "name": made.name}


@pytest.fixture(scope="package")
def hub(service: httpx.Client, images: dict[str, bytes]) -> Iterator[Json]:
    with loopback_hub() as server:
        server.files["datasets/ours/faces"] = images | {"README.md": b"# Faces"}
        connection = connected(service, kind="huggingface", url=server.url, auth={"token": "hf_token"})
        yield {"connection_id": connection, "uri": "hf://datasets/ours/faces", "server": server}


@pytest.fixture(scope="package")
def shards(images: dict[str, bytes]) -> dict[str, bytes]:
    """As WebDataset has them, three images each; their names are those of the images."""
    names = sorted(images)
    parts = [names[start : start + 3] for start in range(0, len(names), 3)]
    return {
        f"faces-{number:06}.tar": make_tar({name: images[name] for name in part}) for number, part in enumerate(parts)
    }


@pytest.fixture(scope="package")
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
