"""One model under two CAM methods, through the whole service: two subjects, and how far their maps agree."""

import csv
import io
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from prepare import build_archive
from pytorch_grad_cam import GradCAM, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity
from torchvision.models import get_model

from tests.api.test_contract_of_errors import check_problem
from tests.reference import as_bytes, spatial
from tests.waiting import RECIPE, WEIGHTS
from worker.functional.derangement import ALONE, derangement

Json = dict[str, Any]

RUN = "cross_entropy_run1"
METHODS = {"gradcam": GradCAM, "layercam": LayerCAM}
PROTOCOL: Json = {
    "micro_batch": 8,
    "salience": {"methods": [*METHODS]},
    "measures": {"entropy": {}, "agreement": {}},
}
SAMPLES = 24


@pytest.fixture(scope="module")
def audit(start: Any) -> Json:
    ended: Json = start(RUN, protocol=PROTOCOL, sample_limit=SAMPLES, name="two methods")
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return found


@pytest.fixture(scope="module")
def scores(service: httpx.Client, audit: Json) -> dict[tuple[str, str, str], float]:
    """By sample, measure and subject."""
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["view"] != "histogram"]
    return {(row["sample"], row["measure"], row["subject"]): float(row["score"]) for row in rows}


def library_maps(image: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """pytorch-grad-cam's maps of one face, stretched to [0, 1]."""
    network = get_model(RECIPE["architecture"], weights=None, num_classes=2).eval()
    network.load_state_dict({name: one.float() for name, one in load_file(WEIGHTS / f"{RUN}.safetensors").items()})
    mean, std = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))
    pixels = torch.from_numpy(((image / 255 - mean) / std).astype(np.float32)).permute(2, 0, 1)[None]
    target, layer, found = ClassifierOutputTarget(int(network(pixels).argmax())), network.get_submodule("conv5"), {}
    for name, method in METHODS.items():
        with method(network, [layer]) as cam:
            cam(pixels, [target])
            seen = cam.activations_and_grads
            pair = [one[0].numpy() for one in (seen.activations, seen.gradients)]
            raw = np.maximum(cam.get_cam_image(pixels, layer, [target], *pair, eigen_smooth=False)[0], 0)
        found[name] = np.asarray((raw - raw.min()) / (raw.max() - raw.min()), np.float64)
    return found


def test_scores_are_those_of_other_tools(audit: Json, scores: dict[tuple[str, str, str], float]) -> None:
    """pytorch-grad-cam's two maps of each face; scikit-image says how alike they are."""
    [model_id] = audit["model_ids"]
    subjects = {"gradcam": model_id, "layercam": f"{model_id}:layercam"}
    archive = zipfile.ZipFile(io.BytesIO(build_archive()))
    near = []
    for sample in sorted({name for name, _, _ in scores})[:6]:
        picture = Image.open(io.BytesIO(archive.read(sample))).convert("RGB")
        maps = library_maps(np.asarray(picture.resize((224, 224), Image.Resampling.BILINEAR)))
        for method, own in maps.items():
            assert scores[sample, "entropy", subjects[method]] == pytest.approx(spatial(own), abs=1e-5)
        levels = [as_bytes(own) for own in maps.values()]
        near.append(abs(scores[sample, "agreement", ""] - structural_similarity(*levels, data_range=255)))
    assert max(near) < 5e-3
    assert 0.2 < np.mean([score for (_, measure, _), score in scores.items() if measure == "agreement"]) < 0.9999


def test_results_count_subjects(audit: Json, results: Json, scores: dict[tuple[str, str, str], float]) -> None:
    [model_id] = audit["model_ids"]
    keys = [model_id, f"{model_id}:layercam"]
    assert [(one["model_id"], one["subject"], one["method"]) for one in results["models"]] == [
        (model_id, keys[0], "gradcam"),
        (model_id, keys[1], "layercam"),
    ]
    totals = {
        (row["measure"], row["subject"]): row
        for row in results["summaries"]
        if (row["group_by"], row["group"]) == ("total", "micro") and row["view"] != "histogram"
    }
    assert set(totals) == {*(("entropy", key) for key in keys), ("agreement", None)}
    for (measure, subject), row in totals.items():
        own = [score for (_, name, whose), score in scores.items() if (name, whose) == (measure, subject or "")]
        assert (row["n"], row["mean"]) == (SAMPLES, pytest.approx(np.mean(own), abs=1e-12))
    agreed = totals["agreement", None]
    assert agreed["control_mean"] < agreed["mean"], "of the same image maps are more alike than of two"
    matrix = results["agreement"]
    assert (matrix["model_ids"], matrix["subjects"]) == ([model_id, model_id], keys)
    assert matrix["pair_means"][0][1] == matrix["pair_means"][1][0] == pytest.approx(agreed["mean"], abs=1e-9)
    assert results["stability"] is None
    assert {row["subject"] for row in results["performance"]} == {*keys}
    assert [row["n_models"] for row in results["across_models"]] == [1] * len(results["across_models"])


def test_rows_and_maps_of_one_subject(service: httpx.Client, audit: Json) -> None:
    path, [model_id] = f"/v1/audits/{audit['id']}/samples", audit["model_ids"]
    asked: Json = {"subject": f"{model_id}:layercam", "measure": "entropy", "view": "spatial", "limit": SAMPLES}
    rows = service.get(path, params=asked).json()["items"]
    assert [(row["model_id"], row["subject"]) for row in rows] == [(model_id, asked["subject"])] * SAMPLES
    both = [
        service.get(f"{path}/{rows[0]['sample_id']}/map", params=query).json()
        for query in (None, {"subject": asked["subject"]})
    ]
    assert [one["subject"] for one in both] == [model_id, asked["subject"]]
    assert both[0]["values"] != both[1]["values"]
    assert rows[0]["score"] == pytest.approx(spatial(np.array(both[1]["values"])), abs=1e-6)
    check_problem(service.get(path, params={"subject": "nobody"}), 404, "not-found")


def test_report_card_and_metrics_tell_the_methods_apart(service: httpx.Client, audit: Json, results: Json) -> None:
    page = service.get(f"/v1/audits/{audit['id']}/report").text
    card = service.get(f"/v1/audits/{audit['id']}/model-card").text
    for name in (f"{RUN} (gradcam)", f"{RUN} (layercam)"):
        assert name in page
        assert name in card.replace("\\", "")
    assert "Do CAM methods find the same salience in a model?" in page
    metrics = service.get(f"/v1/audits/{audit['id']}/metrics").json()
    [agreed] = [row for row in results["summaries"] if (row["view"], row["group"]) == ("methods", "macro")]
    assert metrics["agreement.methods.mean"] == agreed["mean"]
    assert metrics["models/0/entropy.spatial.mean"] == metrics["entropy.spatial.mean"], "the first method leads"


def test_a_gate_judges_the_first_method(judge: Any, audit: Json, results: Json) -> None:
    conditions = ("agreement.mean >= -1", "entropy.mean <= 0", "entropy[worst model].mean <= 0")
    verdict = judge(*conditions, runs=(RUN,), protocol=PROTOCOL, sample_limit=SAMPLES, baseline_audit_id=audit["id"])
    assert [row["outcome"] for row in verdict["conditions"]] == ["passed", "failed", "failed"]
    [own] = [
        row["mean"]
        for row in results["summaries"]
        if (row["view"], row["group"], row["subject"]) == ("spatial", "macro", audit["model_ids"][0])
    ]
    assert [row["value"] for row in verdict["conditions"][1:]] == [own, own]


def test_a_comparison_by_model_has_a_side_a_subject(compare: Any, audit: Json) -> None:
    found = compare(audit, by="model")
    [model_id] = audit["model_ids"]
    assert [side["models"][0]["subject"] for side in found["results"]["sides"]] == [model_id, f"{model_id}:layercam"]
    assert [side["models"][0]["model_id"] for side in found["results"]["sides"]] == [model_id] * 2


@pytest.mark.parametrize(
    ("salience", "code"),
    [
        ({}, "agreement-needs-two-methods"),
        ({"methods": ["gradcam", "gradcam"]}, "validation-error"),
        ({"method": "layercam", "methods": ["gradcam", "layercam"]}, "validation-error"),
    ],
)
def test_refusals(service: httpx.Client, audit: Json, salience: Json, code: str) -> None:
    asked = {"dataset_id": audit["dataset_id"], "model_ids": audit["model_ids"]}
    protocol = PROTOCOL | {"salience": salience}
    check_problem(service.post("/v1/audits", json=asked | {"protocol": protocol}), 422, code)


def test_methods_whose_maps_have_two_sizes(service: httpx.Client, start: Any) -> None:
    """RISE's map is as large as the image, 32 pixels a cell of Grad-CAM's: the mean of each cell's pixels, then
    scikit-image; and the same with RISE's map of another sample of the label as chance."""
    salience = {"methods": ["gradcam", "rise"], "masks": 100}
    audit = start(RUN, protocol=PROTOCOL | {"salience": salience, "measures": {"agreement": {}}}, sample_limit=4)
    assert audit["status"] == "succeeded", audit
    path, [model_id] = f"/v1/audits/{audit['id']}", audit["model_ids"]
    rows = service.get(f"{path}/samples", params={"measure": "agreement"}).json()["items"]
    rows.sort(key=lambda row: row["sample"])
    maps: dict[str, list[NDArray[np.uint8]]] = {}
    for subject in (model_id, f"{model_id}:rise"):
        asked = [f"{path}/samples/{row['sample_id']}/map" for row in rows]
        shown = [np.array(service.get(one, params={"subject": subject}).json()["values"]) for one in asked]
        maps[subject] = [as_bytes(block_reduce(one, len(one) // 7, np.mean)) for one in shown]
    own, rise = maps.values()
    assert [row["score"] for row in rows] == [
        pytest.approx(structural_similarity(*pair, data_range=255), abs=1e-2) for pair in zip(own, rise, strict=True)
    ]
    labels = np.unique([row["label"] for row in rows], return_inverse=True)[1]
    partners = derangement(labels, 0)
    chances = [
        structural_similarity(one, rise[other], data_range=255)
        for one, other in zip(own, partners, strict=True)
        if other != ALONE
    ]
    [total] = [row for row in service.get(f"{path}/results").json()["summaries"] if row["group"] == "micro"]
    assert total["control_mean"] == pytest.approx(np.mean(chances), abs=1e-2)


def test_the_estimate_counts_shared_passes_once(service: httpx.Client, audit: Json) -> None:
    asked = {"dataset_id": audit["dataset_id"], "model_ids": audit["model_ids"], "sample_limit": SAMPLES}
    passes = [
        service.post("/v1/audits:estimate", json=asked | {"protocol": PROTOCOL | {"salience": salience}}).json()
        for salience in (PROTOCOL["salience"], {"methods": ["gradcam", "layercam", "fem"]})
    ]
    assert [one["passes_per_image"] for one in passes] == [1, 2]
    assert [row["passes_per_image"] for row in passes[1]["methods"]] == [1, 0, 1]


def test_ranks_of_two_models_under_both_methods(service: httpx.Client, start: Any, compare: Any) -> None:
    """Kendall's tau of two is their order under one method against that under the other; neither has one where the
    interval of the paired difference has 0 in it.
    """
    protocol = PROTOCOL | {"measures": {"entropy": {}}}
    audit = start(RUN, "human_guided_run1", protocol=protocol, sample_limit=20)
    found = service.get(f"/v1/audits/{audit['id']}/results").json()
    means = {
        row["subject"]: row["mean"]
        for row in found["summaries"]
        if (row["view"], row["group_by"], row["group"]) == ("spatial", "total", "macro")
    }
    first, second = ([means[f"{one}{end}"] for one in audit["model_ids"]] for end in ("", ":layercam"))
    [ranks] = found["method_ranks"]
    assert (ranks["methods"], ranks["n_models"]) == ([*METHODS], 2)
    signs = []
    for row, (one, other) in zip(found["model_differences"], (first, second), strict=True):
        assert row["model_ids"] == audit["model_ids"]
        assert row["difference"] == pytest.approx(other - one, abs=1e-9)
        assert row["ci95_low"] < row["difference"] < row["ci95_high"]
        signs.append(int(row["ci95_low"] > 0) - int(row["ci95_high"] < 0))
    assert ranks["tau"] == (signs[0] * signs[1] if all(signs) else None)
    chosen = len(set(ranks["best_model_ids"]))
    assert ranks["reverses"] == (chosen > 1 and all(signs))
    assert ranks["best_model_ids"] == [audit["model_ids"][int(np.argmin(own))] for own in (first, second)]
    alone = [start(name, protocol=protocol, sample_limit=20) for name in (RUN, "human_guided_run1")]
    by_model = compare(*alone, by="model")["results"]
    assert by_model["method_ranks"] == [ranks], "models of two audits rank as those of one do"
    assert [one["code"] for one in by_model["findings"]] == ["verdict-depends-on-method"] * ranks["reverses"]
    by_audit = compare(*alone)["results"]
    assert (by_audit["method_ranks"], len(by_audit["notes"])) == ([], 1)
    assert "its models under gradcam, the first" in by_audit["notes"][0]
