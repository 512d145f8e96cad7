"""A network of inputs that are not square through the whole service, beside the same network of square ones."""

import csv
import io
import zipfile
from functools import partial
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
from safetensors.torch import load_file
from skimage.metrics import structural_similarity
from skimage.util import random_noise
from torch import nn
from torchvision.models import get_model

from tests.reference import Bytes, as_bytes, degraded, flipped, histogram, moved, spatial
from tests.waiting import RECIPE, WEIGHTS, upload, wait_for
from worker.functional.noise import noise_generator

Json = dict[str, Any]
Views = dict[str, tuple[Any, Any]]

SIZE = (160, 96)
SAMPLES = 2
RUN = "cross_entropy_run1"
PROTOCOL: Json = {
    "seed": 3,
    "micro_batch": 4,
    "measures": {
        "entropy": {},
        "noise_reaction": {"curve": []},
        "geometric_resilience": {},
        "degradation": {},
        "equivariance": {"cells": [1]},
    },
}
DOWN, RIGHT = round(160 / 14), round(96 / 14)
STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


@pytest.fixture(scope="module")
def tall(service: httpx.Client) -> Json:
    said = RECIPE | {"name": "tall", "preprocessing": RECIPE["preprocessing"] | {"input_size": [*SIZE]}}
    model = upload(service, "models", said, (WEIGHTS / f"{RUN}.safetensors").read_bytes())
    assert (model["status"], model["preprocessing"]["input_size"]) == ("ready", [160, 96]), model
    assert (model["map_height"], model["map_width"]) == (5, 3)
    return model


def audited(service: httpx.Client, dataset: Json, *models: Json, **changes: Any) -> Json:
    body: Json = {"dataset_id": dataset["id"], "model_ids": [model["id"] for model in models]}
    answer = service.post("/v1/audits", json=body | {"protocol": PROTOCOL, "sample_limit": SAMPLES} | changes)
    assert answer.status_code == 202, answer.text
    ended = wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def of_squares(service: httpx.Client, dataset: Json, models: dict[str, Json]) -> Json:
    return audited(service, dataset, models[RUN])


@pytest.fixture(scope="module")
def audit(service: httpx.Client, dataset: Json, tall: Json, of_squares: Json) -> Json:
    """Judged against an audit of squares."""
    conditions = [
        "geometric_resilience.all.mean not worse than baseline by more than 2",
        "geometric_resilience.all.p05 not worse than baseline by more than 2",
        "entropy.p05 not worse than baseline by more than 2",
    ]
    gate = service.post("/v1/gates", json={"name": "tall", "conditions": conditions}).json()
    return audited(service, dataset, tall, gate_id=gate["id"], baseline_audit_id=of_squares["id"])


def scores_of(service: httpx.Client, audit: Json) -> dict[tuple[str, str, str], float]:
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = csv.DictReader(io.StringIO(text))
    return {(row["sample"], row["measure"], row["view"]): float(row["score"]) for row in rows}


class Independent:
    """The network under pytorch-grad-cam; maps compared by scikit-image."""

    def __init__(self) -> None:
        network = get_model(RECIPE["architecture"], weights=None, num_classes=2)
        network.load_state_dict({name: one.float() for name, one in load_file(WEIGHTS / f"{RUN}.safetensors").items()})
        self.network: nn.Module = network.eval()
        self.mean, self.std = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))

    def look(self, image: Bytes) -> NDArray[np.float64]:
        pixels = torch.from_numpy(((image / 255 - self.mean) / self.std).astype(np.float32)).permute(2, 0, 1)[None]
        with GradCAM(self.network, [self.network.get_submodule("conv5")]) as cam:
            cam(pixels, [ClassifierOutputTarget(int(self.network(pixels).argmax()))])
            (activation,), (gradient,) = cam.activations_and_grads.activations, cam.activations_and_grads.gradients
            raw = np.maximum((gradient.mean((2, 3), keepdims=True).numpy() * activation.numpy()).sum(1)[0], 0)
        return np.asarray((raw - raw.min()) / (raw.max() - raw.min()), np.float64)

    def enlarged(self, image: Bytes) -> Bytes:
        return enlarged(self.look(image))

    def scores(self, image: Bytes, generator: np.random.Generator) -> dict[tuple[str, str], float]:
        clean = self.look(image)
        large = enlarged(clean)
        noisy = (random_noise(image, "s&p", rng=generator, amount=0.05) * 255).astype(np.uint8)
        found = {
            ("entropy", "spatial"): spatial(clean),
            ("entropy", "histogram"): histogram(as_bytes(clean)),
            ("noise_reaction", "noise@0.05"): structural_similarity(large, self.enlarged(noisy)),
        }
        for name, (there, back) in views().items():
            seen = back(self.enlarged(np.ascontiguousarray(there(image))))
            found["geometric_resilience", name] = structural_similarity(large, seen)
        for name, salience in (("salience_removed", 255 - large), ("non_salience_removed", large)):
            found["degradation", name] = structural_similarity(large, self.enlarged(degraded(image, salience)))
        for name, (right, down) in STEPS.items():
            other = self.look(moved(image, 32 * right, 32 * down))
            found["equivariance", f"cells_1_{name}"] = over_shared_cells(clean, other, right, down)
        return found


def enlarged(native: NDArray[np.float64]) -> Bytes:
    return np.asarray(Image.fromarray(as_bytes(native)).resize(SIZE[::-1], Image.Resampling.BICUBIC))


def views() -> Views:
    across, over = partial(flipped, code=1), partial(flipped, code=0)
    found: Views = {"flip_horizontal": (across, across), "flip_vertical": (over, over)}
    steps = STEPS | {
        f"{one}_{two}": (STEPS[two][0], STEPS[one][1]) for one in ("up", "down") for two in ("left", "right")
    }
    for name, (right, down) in steps.items():
        x, y = RIGHT * right, DOWN * down
        found[f"shift_{name}"] = partial(moved, right=x, down=y), partial(moved, right=-x, down=-y)
    return found


def over_shared_cells(clean: NDArray[np.float64], other: NDArray[np.float64], right: int, down: int) -> float:
    rows, columns = clean.shape
    pairs = [
        (clean[row, column], other[row + down, column + right])
        for row in range(rows)
        for column in range(columns)
        if 0 <= row + down < rows and 0 <= column + right < columns
    ]
    return float(np.corrcoef(np.array(pairs).T)[0, 1])


def test_scores_are_those_of_other_tools(service: httpx.Client, audit: Json) -> None:
    """pytorch-grad-cam's maps, scikit-image's SSIM and noise, OpenCV's moves, SciPy's blur."""
    scores, independent = scores_of(service, audit), Independent()
    archive, differences = zipfile.ZipFile(io.BytesIO(build_archive())), []
    for sample in sorted({name for name, _, _ in scores}):
        picture = Image.open(io.BytesIO(archive.read(sample))).convert("RGB")
        image = np.asarray(picture.resize(SIZE[::-1], Image.Resampling.BILINEAR))
        for (measure, view), expected in independent.scores(image, noise_generator(3, sample, 0.05)).items():
            difference = abs(scores[sample, measure, view] - expected)
            assert difference < (1e-5 if measure == "entropy" else 2e-2), (sample, measure, view)
            differences.append(difference < 5e-3)
    assert len(differences) == SAMPLES * (3 + 10 + 2 + 4)
    assert np.mean(differences) >= 0.97


def test_quarter_turns_are_left_out_and_it_says_so(service: httpx.Client, audit: Json) -> None:
    scores = scores_of(service, audit)
    assert not [view for _, _, view in scores if view.startswith("rotat")]
    sample = next(iter(scores))[0]
    members = [scores[sample, "geometric_resilience", view] for view in views()]
    assert scores[sample, "geometric_resilience", "all"] == pytest.approx(np.mean(members), abs=1e-12)
    assert "tall (160 x 96)" in audit["notes"][-1]
    assert audit["protocol"]["measures"]["geometric_resilience"]["quarter_turns"] is False


def test_both_sides_meet_over_the_views_that_they_have(
    service: httpx.Client, audit: Json, of_squares: Json, compare: Any
) -> None:
    found = compare(of_squares, audit)["results"]
    assert "no quarter turns" in found["notes"][0]
    assert not [row for row in found["differences"] if row["view"].startswith("rotat")]
    square = scores_of(service, of_squares)
    means = [
        np.mean([square[sample, "geometric_resilience", view] for view in views()])
        for sample in {name for name, _, _ in square}
    ]
    row = next(
        row for row in found["sides"][0]["totals"] if (row["measure"], row["view"]) == ("geometric_resilience", "all")
    )
    assert row["n"] == SAMPLES
    micro = next(
        row
        for row in found["differences"]
        if (row["measure"], row["view"], row["group"]) == ("geometric_resilience", "all", "micro")
    )
    assert micro["mean_first"] == pytest.approx(np.mean(means), abs=1e-9)
    assert found["sides"][0]["radar"]["geometric_resilience"] == pytest.approx(row["mean"])


def test_a_gate_compares_what_both_have(audit: Json) -> None:
    of_means, of_quantiles, entropy = audit["conditions"]
    assert of_means["outcome"] != "failed"
    assert "views that both have" in of_means["explanation"]
    # As of any number that is not there: a gate takes nothing for granted.
    assert (of_quantiles["outcome"], of_quantiles["difference"]) == ("failed", None)
    assert "views that both have" in of_quantiles["explanation"]
    assert entropy["difference"] is not None


def test_rotations_alone_are_refused(service: httpx.Client, dataset: Json, tall: Json) -> None:
    measures = {"geometric_resilience": {"groups": ["rotations"]}}
    body = {"dataset_id": dataset["id"], "model_ids": [tall["id"]], "protocol": {"measures": measures}}
    answer = service.post("/v1/audits", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "no-view-exists")
