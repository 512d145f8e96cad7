"""A classifier of independent labels through the whole service, on samples that have several."""

import csv
import io
import json
import zipfile
from typing import Any, NamedTuple

import httpx
import pytest
import torch
from prepare import build_archive
from safetensors.torch import load_file, save

from tests.waiting import RECIPE, WEIGHTS, upload, wait_for

Json = dict[str, Any]
NAMES = ["face", "object", "plain"]


def weights() -> bytes:
    """One of the example's networks with three rows: face, not face, and a bit of both."""
    state = load_file(WEIGHTS / "cross_entropy_run1.safetensors")
    rows = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [0.1, 0.12]])
    for name in ("fc.weight", "fc.bias"):
        state[name] = (rows @ state[name].float().view(2, -1)).view(3, *state[name].shape[1:]).contiguous()
    return save(state)


def labelled() -> bytes:
    """The example's images in a manifest whose labels are lists."""
    archive = io.BytesIO(build_archive())
    with zipfile.ZipFile(archive) as source:
        names = source.namelist()[:6] + source.namelist()[-6:]
        content = {name: source.read(name) for name in names}
    lists: list[list[str]] = [["face"], ["face", "plain"], []] * 2 + [["object", "plain"], ["object"], ["nothing"]] * 2
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        rows = [{"path": name, "label": labels} for name, labels in zip(names, lists, strict=True)]
        target.writestr("manifest.jsonl", "\n".join(map(json.dumps, rows)))
        for name, image in content.items():
            target.writestr(name, image)
    return file.getvalue()


class Audited(NamedTuple):
    """An audit for the samples' labels: its path, its scores as the CSV has them, its results."""

    path: str
    rows: list[dict[str, str]]
    results: dict[str, Any]

    @property
    def clean(self) -> dict[str, str]:
        """What is predicted of each sample."""
        return {row["sample"]: row["predicted_label"] for row in self.rows if row["view"] == "spatial"}


@pytest.fixture(scope="module")
def audited(service: httpx.Client) -> Audited:
    described = RECIPE | {"name": "labels", "class_names": NAMES, "output": {"kind": "multilabel"}}
    model = upload(service, "models", described, weights())
    assert (model["status"], model["classes"]) == ("ready", 3), model
    dataset = upload(service, "datasets", {"name": "several"}, labelled())
    assert dataset["status"] == "ready", dataset
    measures = {"entropy": {}, "geometric_resilience": {"groups": ["flips"]}}
    protocol = {"micro_batch": 4, "salience": {"target": "label"}, "measures": measures}
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": protocol}
    refused = service.post("/v1/audits", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "labels-do-not-meet-classes")
    audit = service.post("/v1/audits", json=body | {"label_map": {"nothing": None}}).json()
    path = f"/v1/audits/{audit['id']}"
    assert wait_for(service, path, "succeeded", "failed")["status"] == "succeeded"
    text = service.get(f"{path}/samples", headers={"Accept": "text/csv"}).text
    return Audited(path, list(csv.DictReader(io.StringIO(text))), service.get(f"{path}/results").json())


def test_labels_and_those_without_a_target(service: httpx.Client, audited: Audited) -> None:
    rows = audited.rows
    assert {row["label"] for row in rows} == {"face", "face|plain", "|", "object|plain", "object", "nothing"}
    without = {row["label"] for row in rows if row["undefined_reason"] == "no-target"}
    assert without == {"|", "nothing"}
    groups = {row["group"] for row in audited.results["summaries"] if row["group_by"] == "label"}
    assert groups == {*NAMES, "nothing"}
    found = service.get(f"{audited.path}/samples", params={"label": "plain", "view": "spatial"}).json()["items"]
    assert {item["label"] for item in found} == {"face|plain", "object|plain"}
    assert service.get(f"{audited.path}/report").status_code == 200


def test_a_flip_is_a_change_of_the_set(audited: Audited) -> None:
    scored = [row for row in audited.rows if row["view"] == "flip_vertical" and row["score"]]
    flips = [row["predicted_label"] != audited.clean[row["sample"]] for row in scored]
    [total] = [
        row
        for row in audited.results["summaries"]
        if (row["view"], row["group_by"], row["group"]) == ("flip_vertical", "total", "micro")
    ]
    assert total["flip_rate"] == pytest.approx(sum(flips) / len(flips))
    assert 0 < sum(flips) < len(flips) == total["n"]


def test_performance_by_label(audited: Audited) -> None:
    [told] = [row for row in audited.results["performance"] if row["condition"] == "clean"]
    assert told["n"] == 12
    truth = {row["sample"]: set(row["label"].split("|")) for row in audited.rows}
    for name in NAMES:
        hits = [(name in predicted.split("|")) == (name in truth[one]) for one, predicted in audited.clean.items()]
        assert told["by_label"][name]["accuracy"] == pytest.approx(sum(hits) / len(hits))
