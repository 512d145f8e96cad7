"""The whole corpus through the real API and a real worker: the same codes, and nothing left behind."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.datasets.hostile_archives import ARCHIVES, NOT_TAKEN
from tests.datasets.hostile_images import IMAGES
from tests.datasets.image_tables import TABLES
from tests.datasets.packing import GOOD, make_zip
from tests.leftovers import nothing_left
from tests.waiting import wait_for


def send(service: httpx.Client, content: bytes) -> dict[str, Any]:
    """The data set as it ends, or the problem of the upload."""
    created = service.post("/v1/datasets", json={"name": "hostile"}).json()
    answer = service.put(created["content_url"], content=content)
    if answer.status_code != 202:
        return {"status": "refused", "problem": answer.json(), "id": created["id"]}
    return wait_for(service, f"/v1/datasets/{created['id']}", "ready", "rejected")


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_left(service: httpx.Client, open_folder: Path) -> Iterator[None]:
    with nothing_left(open_folder / "service"):
        yield


@pytest.mark.parametrize("name", [*ARCHIVES, *TABLES])
def test_archives(service: httpx.Client, name: str) -> None:
    make, expected = (ARCHIVES | TABLES)[name]
    found = send(service, make())
    assert (found["problem"] or {"code": found["status"]})["code"] == expected
    _check_cleared(service, found)


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_no_archives(service: httpx.Client, name: str) -> None:
    found = send(service, NOT_TAKEN[name])
    assert (found["problem"]["status"], found["problem"]["code"]) == (415, "unsupported-media-type")
    assert service.get(f"/v1/datasets/{found['id']}").json()["status"] == "awaiting_content"
    _check_cleared(service, found)


def test_images(service: httpx.Client) -> None:
    """All in one archive: each is its own problem, none is another's."""
    content = make_zip({**{f"g/{n}.png": GOOD["a/1.png"] for n in range(500)}, **_images()})
    found = send(service, content)
    assert found["status"] == "ready", found["problem"]
    listed = service.get(f"/v1/datasets/{found['id']}/samples?limit=1000").json()["items"]
    samples = {sample["sample"]: sample for sample in listed}
    codes = {name: (samples[f"c/{name}"]["problem"] or {"code": "ready"})["code"] for name in IMAGES}
    assert codes == {name: expected for name, (_, expected) in IMAGES.items()}
    sizes = {number: samples[f"c/exif_orient{number}.jpg"] for number in range(1, 9)}
    assert {(sample["width"], sample["height"]) for sample in sizes.values()} == {(16, 8)}
    _check_cleared(service, found)


def _images() -> dict[str, bytes]:
    return {f"c/{name}": make() for name, (make, _) in IMAGES.items()}


def _check_cleared(service: httpx.Client, found: dict[str, Any]) -> None:
    assert service.delete(f"/v1/datasets/{found['id']}").status_code == 204
    assert service.get(f"/v1/datasets/{found['id']}").status_code == 404
