"""A blob that the store lost or changed: numbers and reports stay, and what needs the image says why it cannot."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.running_api import check_problem
from tests.datasets.packing import make_zip, picture
from tests.reports.reading import Report
from tests.waiting import upload, wait_for

Json = dict[str, Any]


@pytest.fixture
def audit(service: httpx.Client, models: dict[str, Json]) -> Json:
    """Of eight images that nobody else has uploaded."""
    pictures = {f"{label}/{number}.png": picture(number + 100) for label in ("face", "non_face") for number in range(4)}
    dataset = upload(service, "datasets", {"name": "to be lost"}, make_zip(pictures))
    body: Json = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
    body["protocol"] = {"micro_batch": 4, "measures": {"entropy": {}}}
    started = service.post("/v1/audits", json=body).json()
    return wait_for(service, f"/v1/audits/{started['id']}", "succeeded", "failed")


def blob_of(service: httpx.Client, audit: Json, open_folder: Path) -> Path:
    digest = service.get(f"/v1/datasets/{audit['dataset_id']}").json()["content_digest"]
    (path,) = (open_folder / "service" / "blobs").rglob(digest.removeprefix("sha256:"))
    return path


def check_without_pictures(service: httpx.Client, base: str, sample: str, headings: list[str]) -> None:
    picture = service.get(f"{base}/samples/{sample}/map", headers={"Accept": "image/png"})
    check_problem(picture, 410, "artifact-corrupted")
    assert service.get(f"{base}/samples/{sample}/map").status_code == 200
    report = service.get(f"{base}/report")
    assert report.status_code == 200
    assert Report(report.text).headings == headings
    assert not Report(report.text).pictures


def test_maps_and_reports(service: httpx.Client, audit: Json, open_folder: Path) -> None:
    """Of a blob that is gone, and then of one with other bytes of the same length."""
    base = f"/v1/audits/{audit['id']}"
    sample = service.get(f"{base}/samples").json()["items"][0]["sample_id"]
    whole = Report(service.get(f"{base}/report").text)
    assert [picture for picture in whole.pictures if picture.alt.endswith(": image")]
    path = blob_of(service, audit, open_folder)
    size = path.stat().st_size
    path.unlink()
    check_without_pictures(service, base, sample, whole.headings)
    path.write_bytes(bytes(size))
    check_without_pictures(service, base, sample, whole.headings)
