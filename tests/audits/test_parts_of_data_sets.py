"""Splits, draws by group, groups and clusters of a manifest: from the archive to the results, over HTTP."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.audited import Json
from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.datasets.packing import make_zip
from tests.waiting import RECIPE, upload, wait_for

LABELS = RECIPE["class_names"]
CAMERAS, PEOPLE = "AB", 4


def _picture(seed: int) -> bytes:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(blocks.repeat(8, 0).repeat(8, 1)).save(file, "PNG")
    return file.getvalue()


def _archive() -> bytes:
    """Eight training images, then eight of the test; the last one is the first again."""
    rows = ["path,label,split,camera,person"]
    files = {}
    for number in range(16):
        label, split = LABELS[number % 2], "Train" if number < 8 else "Test"
        files[f"{number:02}.png"] = _picture(number % 15)
        rows.append(f"{number:02}.png,{label},{split},{CAMERAS[number // 2 % 2]},p{number % PEOPLE}")
    return make_zip({**files, "manifest.csv": "\n".join(rows).encode()})


@pytest.fixture(scope="module")
def people(service: httpx.Client) -> Json:
    asked = {"name": "people", "columns": {"cluster": "person"}}
    found = upload(service, "datasets", asked, _archive())
    assert found["status"] == "ready", found
    assert found["near_duplicates"]["with_training_images"] == 1
    return found


@pytest.fixture(scope="module")
def audit(service: httpx.Client, people: Json, models: dict[str, Json]) -> Callable[..., Json]:
    def finished(model: str = "cross_entropy_run1", **changes: Any) -> Json:
        body = {"dataset_id": people["id"], "model_ids": [models[model]["id"]], "protocol": ENTROPY_ONLY}
        answer = service.post("/v1/audits", json=body | changes)
        assert answer.status_code == 202, answer.text
        return wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")

    return finished


@pytest.fixture(scope="module")
def whole(audit: Callable[..., Json]) -> Json:
    return audit(group_by=["camera", "split"])


def _results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").raise_for_status().json()
    return found


def _labels(service: httpx.Client, audit: Json) -> list[tuple[str, str]]:
    answer = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).raise_for_status()
    rows = csv.DictReader(io.StringIO(answer.text))
    return [(row["sample"], row["label"]) for row in rows if row["view"] == "spatial"]


def test_all_samples_are_taken_and_findings_say_which_were_trained_on(service: httpx.Client, whole: Json) -> None:
    results = _results(service, whole)
    assert results["training_images"] == {"audited": 16, "of_training_splits": 8, "like_training_images": 1}
    found = {finding["code"]: finding["text"] for finding in results["findings"]}
    assert "8 of the 16 samples are training images" in found["training-images"]
    assert "1 of the 8 samples of other splits" in found["test-repeats-training"]
    listed = service.get(f"/v1/audits/{whole['id']}/findings").json()["items"]
    assert [one["code"] for one in listed] == list(found)


def test_groups_are_those_of_the_manifest(service: httpx.Client, whole: Json) -> None:
    rows = [row for row in _results(service, whole)["summaries"] if row["view"] == "spatial"]
    counts = {(row["group_by"], row["group"]): row["n"] for row in rows}
    assert counts["total", "micro"] == 16
    assert {group: n for (kind, group), n in counts.items() if kind == "camera"} == {"A": 8, "B": 8}
    assert {group: n for (kind, group), n in counts.items() if kind == "split"} == {"Train": 8, "Test": 8}


def test_maps_lie_by_split_as_well(service: httpx.Client, whole: Json) -> None:
    (section,) = _results(service, whole)["where_maps_lie"]
    splits = {row["group"]: row["n"] + row["n_undefined"] for row in section["groups"] if row["group_by"] == "split"}
    assert splits == {"Train": 8, "Test": 8}


def test_intervals_draw_the_column_of_clusters(
    service: httpx.Client, whole: Json, audit: Callable[..., Json], compare: Callable[..., Json]
) -> None:
    results = _results(service, whole)
    assert whole["cluster"] == results["cluster"] == "cluster"
    assert {row["n_clusters"] for row in results["summaries"] if row["group_by"] == "total"} == {PEOPLE}
    by_camera = audit(cluster="camera")
    assert {row["n_clusters"] for row in _results(service, by_camera)["summaries"] if row["group_by"] == "total"} == {2}
    statistics = compare(whole, audit("human_guided_run1"))["results"]["statistics"]
    assert (statistics["cluster"], statistics["clusters"]) == ("cluster", PEOPLE)
    assert "intervals are too narrow" in statistics["interval"]


def test_a_split_alone_has_no_training_images(service: httpx.Client, audit: Callable[..., Json]) -> None:
    tested = audit(split="test", sample_limit=4, stratify="label")
    labels = _labels(service, tested)
    assert Counter(label for _, label in labels) == dict.fromkeys(LABELS, 2)
    assert all(name >= "08.png" for name, _ in labels)
    codes = {finding["code"] for finding in _results(service, tested)["findings"]}
    assert "training-images" not in codes


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"split": "holdout"}, "unknown-split"),
        ({"group_by": ["x"]}, "unknown-group"),
        ({"cluster": "x"}, "unknown-group"),
    ],
)
def test_what_the_data_set_lacks_is_said(
    service: httpx.Client, people: Json, models: dict[str, Json], asked: Json, code: str
) -> None:
    body = {"dataset_id": people["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
    answer = service.post("/v1/audits", json=body | asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
