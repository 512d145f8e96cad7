"""Every method that passes variants of an image, in one audit through the whole service."""

import csv
import io
import zipfile
from typing import Any

import httpx
import numpy as np
import pytest
import pytorch_grad_cam
import timm
import torch
from PIL import Image
from prepare import build_archive
from safetensors.torch import save
from scipy.stats import entropy
from torch import Tensor, nn

from tests.waiting import RECIPE, upload, wait_for

Json = dict[str, Any]

SIDE = 64
METHODS = [
    "scorecam",
    "ablationcam",
    "sscam",
    "iscam",
    "occlusion",
    "smooth_gradcam_plus_plus",
    "rise",
    "meaningful_perturbation",
]
LIBRARY = {"scorecam": pytorch_grad_cam.ScoreCAM, "ablationcam": pytorch_grad_cam.AblationCAM}


def network() -> nn.Module:
    torch.manual_seed(3)
    made: nn.Module = timm.create_model("test_resnet", num_classes=2).eval()
    nn.init.normal_(made.get_submodule("fc").get_parameter("weight"))
    return made


def normalised(names: list[str]) -> Tensor:
    """As the recipe's preprocessing has them, by Pillow and NumPy."""
    with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
        pictures = [Image.open(archive.open(name)).convert("RGB") for name in names]
    resized = [picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR) for picture in pictures]
    pixels = np.stack([np.asarray(picture) for picture in resized]) / 255
    mean, std = (np.array(RECIPE["preprocessing"][name]) for name in ("mean", "std"))
    return torch.from_numpy(((pixels - mean) / std).astype(np.float32)).permute(0, 3, 1, 2)


def by_library(method: str, images: Tensor) -> list[float]:
    """Spatial entropies of the library's maps, by SciPy."""
    module: Any = network()
    with LIBRARY[method](module, [module.layer4]) as cam:
        cam.get_target_width_height = lambda _images: None
        maps = cam(images, None).reshape(len(images), -1).astype(np.float64)
    lowest = maps.min(1, keepdims=True)
    return [float(entropy(one, base=len(one))) for one in maps - lowest]


def test_all_of_them_end_with_scores_and_two_are_the_librarys(service: httpx.Client, dataset: Json) -> None:
    described = RECIPE | {"name": "timm's test_resnet", "architecture": "timm/test_resnet"}
    described |= {"preprocessing": RECIPE["preprocessing"] | {"input_size": SIDE}}
    model = upload(service, "models", described, save(network().state_dict()))
    assert model["status"] == "ready", model
    protocol = {"salience": {"methods": METHODS, "masks": 100}, "measures": {"entropy": {}}}
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": protocol, "sample_limit": 2}
    estimate = service.post("/v1/audits:estimate", json=body).json()
    assert [row["method"] for row in estimate["methods"]] == METHODS
    audit = service.post("/v1/audits", json=body).json()
    ended = wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    found: dict[str, dict[str, float]] = {method: {} for method in METHODS}
    for row in csv.DictReader(io.StringIO(text)):
        if row["view"] == "spatial":
            found[row["subject"].partition(":")[2] or METHODS[0]][row["sample"]] = float(row["score"])
    samples = sorted(found["scorecam"])
    assert {len(scores) for scores in found.values()} == {len(samples)} == {2}
    for method in LIBRARY:
        expected = by_library(method, normalised(samples))
        assert [found[method][name] for name in samples] == pytest.approx(expected, abs=1e-4), method
