"""A model beside its random twin, through the whole service, held to torchvision, pytorch-grad-cam and NumPy."""

import csv
import io
import re
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from prepare import build_archive
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torchvision.models import get_model

from tests.reference import spatial
from tests.waiting import RECIPE

Json = dict[str, Any]
Scores = dict[tuple[str, str, str], float]

RUN = "cross_entropy_run1"
SEED = 5
SAMPLES = 24
PROTOCOL: Json = {
    "seed": SEED,
    "micro_batch": 8,
    "measures": {"entropy": {}, "noise_reaction": {"curve": []}, "sanity": {}},
}
VIEWS = {"entropy": "spatial", "noise_reaction": "noise@0.05"}


@pytest.fixture(scope="module")
def audit(start: Any) -> Json:
    ended: Json = start(RUN, protocol=PROTOCOL, sample_limit=SAMPLES, name="beside its twin")
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return found


@pytest.fixture(scope="module")
def scores(service: httpx.Client, audit: Json) -> Scores:
    """By sample, measure and subject."""
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["view"] != "histogram" and row["score"]]
    return {(row["sample"], row["measure"], row["subject"]): float(row["score"]) for row in rows}


def twin_map(network: torch.nn.Module, image: NDArray[np.uint8]) -> NDArray[np.float64]:
    mean, std = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))
    pixels = torch.from_numpy(((image / 255 - mean) / std).astype(np.float32)).permute(2, 0, 1)[None]
    with GradCAM(network, [network.get_submodule("conv5")]) as cam:
        cam(pixels, [ClassifierOutputTarget(int(network(pixels).argmax()))])
        (activation,), (gradient,) = cam.activations_and_grads.activations, cam.activations_and_grads.gradients
    raw = np.maximum((gradient.mean((2, 3), keepdims=True).numpy() * activation.numpy()).sum(1)[0], 0)
    return np.asarray((raw - raw.min()) / (raw.max() - raw.min()), np.float64)


def test_the_twin_is_the_architecture_as_torchvision_begins(audit: Json, scores: Scores) -> None:
    [model_id] = audit["model_ids"]
    torch.manual_seed(SEED)
    network = get_model(RECIPE["architecture"], weights=None, num_classes=2).eval()
    archive = zipfile.ZipFile(io.BytesIO(build_archive()))
    compared = 0
    for sample in sorted({name for name, _, _ in scores})[:6]:
        if (sample, "entropy", f"{model_id}:random") not in scores:
            continue
        picture = Image.open(io.BytesIO(archive.read(sample))).convert("RGB")
        own = twin_map(network, np.asarray(picture.resize((224, 224), Image.Resampling.BILINEAR)))
        assert scores[sample, "entropy", f"{model_id}:random"] == pytest.approx(spatial(own), abs=1e-4)
        trained, twin = (scores[sample, "entropy", key] for key in (model_id, f"{model_id}:random"))
        assert scores[sample, "sanity", ""] == pytest.approx((twin - trained) / trained, abs=1e-9)
        compared += 1
    assert compared >= 3


def test_distances_are_means_of_paired_differences(audit: Json, results: Json, scores: Scores) -> None:
    [model_id] = audit["model_ids"]
    [section] = results["sanity"]
    assert (section["model_id"], section["subject"]) == (model_id, model_id)
    archive_source = {name: name.split("/")[1] for name, _, _ in scores}
    distances = {row["measure"]: row for row in section["distances"]}
    assert {name: row["view"] for name, row in distances.items()} == VIEWS
    for measure, row in distances.items():
        pairs = {
            name: (scores[name, measure, model_id], scores[name, measure, f"{model_id}:random"])
            for name in archive_source
            if (name, measure, f"{model_id}:random") in scores and (name, measure, model_id) in scores
        }
        by_source: dict[str, list[float]] = {}
        for name, (own, twin) in pairs.items():
            by_source.setdefault(archive_source[name], []).append(own - twin)
        assert row["n"] == len(pairs)
        assert row["difference"] == pytest.approx(np.mean([np.mean(one) for one in by_source.values()]), abs=1e-9)
        assert row["mean"] - row["random_mean"] == pytest.approx(row["difference"], abs=1e-9)
        assert row["ci95_low"] < row["difference"] < row["ci95_high"]
        beyond = row["ci95_high"] < 0 if measure == "entropy" else row["ci95_low"] > 0
        assert row["better"] is beyond
    [total] = [row for row in results["summaries"] if (row["measure"], row["group"]) == ("sanity", "macro")]
    assert section["entropy_rise"] == pytest.approx(total["mean"], abs=1e-12)


def test_what_is_not_better_than_random_is_a_finding(service: httpx.Client, audit: Json, results: Json) -> None:
    reached = [row["measure"] for row in results["sanity"][0]["distances"] if row["better"] is False]
    findings = service.get(f"/v1/audits/{audit['id']}/findings").json()["items"]
    found = [one for one in findings if one["code"] == "no-better-than-random"]
    assert [[row["measure"] for row in one["evidence"]["numbers"]] for one in found] == ([reached] if reached else [])
    assert not [one for one in findings if "random weights)" in one["text"]], "nothing is found of the twin itself"


def test_it_is_no_model_of_the_audit(service: httpx.Client, audit: Json, results: Json) -> None:
    """Means, report, card and metrics are the model's; the twin's rows are in results and exports."""
    path, [model_id] = f"/v1/audits/{audit['id']}", audit["model_ids"]
    assert [one["subject"] for one in results["models"]] == [model_id, f"{model_id}:random"]
    [mean] = [row["mean"] for row in results["across_models"] if (row["view"], row["group"]) == ("spatial", "macro")]
    metrics = service.get(f"{path}/metrics").json()
    assert metrics["entropy.spatial.mean"] == mean
    assert not [name for name in metrics if name.startswith("models/")]
    page = service.get(f"{path}/report").text
    shown = re.findall(rf"{RUN} \(random weights\)(: \w+)?", page)
    assert set(shown) == {": clean"}, "beside the model's own map in the gallery, and nowhere else"
    assert "What would the same network score with random weights?" in page
    assert "random weights)" not in service.get(f"{path}/model-card").text
