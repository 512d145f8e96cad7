"""A model's maps for two classes, through the whole service, held to torch, NumPy and scikit-image."""

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
from safetensors.torch import load_file
from skimage.metrics import structural_similarity
from torchvision.models import get_model

from tests.reference import as_bytes
from tests.waiting import RECIPE, WEIGHTS

Json = dict[str, Any]

RUN = "cross_entropy_run1"
SAMPLES = 24
MEASURES: Json = {"entropy": {}, "class_separation": {}}


def protocol(method: str) -> Json:
    return {"micro_batch": 8, "salience": {"method": method}, "measures": MEASURES}


@pytest.fixture(scope="module")
def audit(start: Any) -> Json:
    ended: Json = start(RUN, protocol=protocol("gradcam"), sample_limit=SAMPLES, name="two classes")
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return found


@pytest.fixture(scope="module")
def rows(service: httpx.Client, audit: Json) -> list[dict[str, str]]:
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    return list(csv.DictReader(io.StringIO(text)))


def class_maps(image: NDArray[np.uint8]) -> list[NDArray[np.uint8] | None]:
    """CAM of the class with the highest logit and of that with the second highest, which for one linear layer after a
    global pooling is Grad-CAM; None where nothing is above zero."""
    network = get_model(RECIPE["architecture"], weights=None, num_classes=2).eval()
    network.load_state_dict({name: one.float() for name, one in load_file(WEIGHTS / f"{RUN}.safetensors").items()})
    mean, std = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))
    pixels = torch.from_numpy(((image / 255 - mean) / std).astype(np.float32)).permute(2, 0, 1)[None]
    seen: list[NDArray[np.float64]] = []
    network.conv5.register_forward_hook(lambda _, __, out: seen.append(out[0].detach().double().numpy()))
    order = network(pixels)[0].argsort(descending=True).tolist()
    weights = network.fc.weight.detach().double().numpy()
    raw = [np.maximum(np.tensordot(weights[one], seen[0], 1), 0) for one in order[:2]]
    return [None if one.max() == one.min() else as_bytes((one - one.min()) / (one.max() - one.min())) for one in raw]


def test_scores_are_those_of_other_tools(rows: list[dict[str, str]]) -> None:
    found = {row["sample"]: row for row in rows if row["measure"] == "class_separation"}
    assert len(found) == SAMPLES
    archive = zipfile.ZipFile(io.BytesIO(build_archive()))
    kinds = {row["undefined_reason"] for row in found.values()}
    assert kinds == {"", "constant-view-map"}, "for some images nothing speaks for the other class"
    for kind in kinds:
        for row in [row for row in found.values() if row["undefined_reason"] == kind][:3]:
            picture = Image.open(io.BytesIO(archive.read(row["sample"]))).convert("RGB")
            own, other = class_maps(np.asarray(picture.resize((224, 224), Image.Resampling.BILINEAR)))
            assert own is not None
            if other is None or row["score"] == "":
                assert (other is None, row["score"]) == (True, "")
            else:
                similarity = structural_similarity(own, other, data_range=255)
                assert float(row["score"]) == pytest.approx(similarity, abs=5e-3)


def test_the_estimate_knows_its_two_maps(service: httpx.Client, audit: Json) -> None:
    """One finds the other class, one explains it; the class that the target names has its own."""
    asked = {name: audit[name] for name in ("dataset_id", "model_ids")} | {"sample_limit": SAMPLES}
    measured: list[Json] = [{"entropy": {}}, MEASURES]
    passes = [
        service.post("/v1/audits:estimate", json=asked | {"protocol": protocol("gradcam") | {"measures": one}}).json()
        for one in measured
    ]
    assert [one["passes"] for one in passes] == [SAMPLES, 3 * SAMPLES]


def test_it_has_a_control_and_no_other_numbers(results: Json, rows: list[dict[str, str]], audit: Json) -> None:
    [model_id] = audit["model_ids"]
    [total] = [row for row in results["summaries"] if (row["measure"], row["group"]) == ("class_separation", "macro")]
    assert (total["view"], total["model_id"]) == ("other_class", None)
    assert total["control_mean"] is not None
    assert total["n"] + total["n_undefined"] == SAMPLES
    report = results["class_separation"]
    assert report["subjects"] == [model_id, f"{model_id}:other_class"]
    scores = [float(row["score"]) for row in rows if row["measure"] == "class_separation" and row["score"]]
    assert report["pair_means"][0][1] == pytest.approx(np.mean(scores), abs=1e-9)
    assert {row["subject"] for row in rows} == {model_id, ""}
    for name in ("summaries", "where_maps_lie", "across_models"):
        assert not [row for row in results[name] if "other_class" in (row.get("subject") or "")], name
    [conditions] = [[row["condition"] for row in results["performance"] if row["subject"].endswith("other_class")]]
    assert conditions == ["clean"], "and of that it is what the model itself says"


def test_its_maps_can_be_seen(service: httpx.Client, audit: Json, rows: list[dict[str, str]]) -> None:
    [model_id] = audit["model_ids"]
    path = f"/v1/audits/{audit['id']}"
    row = next(row for row in rows if row["measure"] == "class_separation" and row["score"])
    listed = service.get(f"{path}/samples", params={"measure": "class_separation", "limit": 100}).json()["items"]
    [sample_id] = [one["sample_id"] for one in listed if one["sample"] == row["sample"]]
    maps = [
        as_bytes(np.array(service.get(f"{path}/samples/{sample_id}/map", params={"subject": one}).json()["values"]))
        for one in (model_id, f"{model_id}:other_class")
    ]
    assert structural_similarity(*maps, data_range=255) == pytest.approx(float(row["score"]), abs=5e-3)
    missing = service.get(f"{path}/samples/{sample_id}/map", params={"subject": f"{model_id}:other_class", "view": "x"})
    assert missing.json()["detail"] == "There are these views: clean."
    page = service.get(f"{path}/report").text
    assert "Does the map tell its class?" in page
    assert f"{RUN} (other class): clean" in page


def test_maps_that_are_taken_over_are_undefined_where_they_were(start: Any, results: Json, service: Any) -> None:
    again = start(RUN, protocol=protocol("gradcam"), sample_limit=SAMPLES, name="two classes, again")
    found = service.get(f"/v1/audits/{again['id']}/results").json()
    assert found["class_separation"]["pair_means"] == results["class_separation"]["pair_means"]
    numbers = [
        [(row["n"], row["n_undefined"]) for row in one["summaries"] if row["measure"] == "class_separation"]
        for one in (found, results)
    ]
    assert numbers[0] == numbers[1]


def test_a_method_that_knows_no_class_is_found(start: Any, service: httpx.Client) -> None:
    ended = start(RUN, protocol=protocol("eigencam"), sample_limit=SAMPLES, name="one map for all classes")
    results = service.get(f"/v1/audits/{ended['id']}/results").json()
    found = [one for one in results["findings"] if one["code"] == "classes-share-a-map"]
    [one] = found
    assert (one["level"], one["measure"], one["evidence"]["n"]) == ("note", "class_separation", SAMPLES)
    assert one["evidence"]["similarity"] == pytest.approx(1.0, abs=1e-6)
