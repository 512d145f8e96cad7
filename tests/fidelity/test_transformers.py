"""A small ViT of transformers through the whole service: its files as they are, its owner's outputs, an audit."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import torch
import transformers

from tests.fidelity.reference_files import archive, outputs, pictures
from tests.waiting import until, upload, wait_for
from tests.weights.hugging_face import NAMES, SIDE, saved

Json = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``save_pretrained`` leaves it."""
    found = tmp_path_factory.mktemp("vit")
    saved("ViTForImageClassification", found)
    transformers.ViTImageProcessor(size={"height": SIDE, "width": SIDE}).save_pretrained(found)
    return found


@pytest.fixture(scope="module")
def model(service: httpx.Client, folder: Path) -> Json:
    files = {name: json.loads((folder / f"{name}.json").read_text()) for name in ("config", "preprocessor_config")}
    files["config"]["path_norm"] = True
    said = {"name": "transformers' ViT", "format": "safetensors"} | files
    return upload(service, "models", said, (folder / "model.safetensors").read_bytes())


def test_what_is_shown(model: Json) -> None:
    assert model["status"] == "ready", model["problem"]
    assert (model["architecture"], model["class_names"]) == ("transformers/ViTForImageClassification", NAMES)
    assert (model["target_layer"], model["map_height"], model["classes"]) == ("vit.layers.1.layernorm_before", 4, 3)
    said = {name: fact["from"] for name, fact in model["description"].items()}
    assert (said["class_names"], said["preprocessing.std"]) == ("config.json", "preprocessor_config.json")
    assert model["description"]["config_left_out"]["value"] == ["path_norm"]
    assert model["architecture_options"]["hidden_size"] == 32


def test_its_owners_pipeline_verifies_it(service: httpx.Client, model: Json, folder: Path) -> None:
    images = pictures()
    pipeline = transformers.pipeline("image-classification", model=str(folder), device="cpu")
    by_name = [{row["label"]: row["score"] for row in pipeline(image, top_k=3)} for image in images.values()]
    scores = torch.tensor([[row[name] for name in NAMES] for row in by_name])
    put = service.put(model["reference_url"], content=archive(images, outputs(scores)))
    assert put.status_code == 202, put.text

    def looked_at() -> Json:
        found: Json = service.get(f"/v1/models/{model['id']}").json()["fidelity"]
        return found

    found = until(looked_at)
    assert (found["images"], found["agreeing"]) == (12, 12), found
    assert found["largest_difference"] < 2e-3


def test_its_maps_are_audited(service: httpx.Client, model: Json) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as target:
        for number, image in enumerate(list(pictures(4).values())):
            png = io.BytesIO()
            image.save(png, "PNG")
            target.writestr(f"{NAMES[number % 2]}/{number}.png", png.getvalue())
    dataset = upload(service, "datasets", {"name": "four"}, content.getvalue())
    protocol: Json = {"micro_batch": 4, "measures": {"entropy": {}}}
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": protocol}
    started = service.post("/v1/audits", json=body)
    assert started.status_code == 202, started.text
    audit = wait_for(service, f"/v1/audits/{started.json()['id']}", "succeeded", "failed")
    assert audit["status"] == "succeeded", audit
    sample = service.get(f"/v1/datasets/{dataset['id']}/samples").json()["items"][0]
    shown = service.get(f"/v1/audits/{audit['id']}/samples/{sample['id']}/map").json()
    assert np.array(shown["values"]).shape == (4, 4)
    assert shown["predicted_label"] in NAMES


def test_config_that_names_code_is_refused_at_once(service: httpx.Client) -> None:
    config = {"model_type": "vit", "auto_map": {"AutoConfig": "theirs.Config"}}
    answer = service.post("/v1/models", json={"name": "code", "format": "safetensors", "config": config})
    assert (answer.status_code, answer.json()["code"]) == (422, "model-unsafe")
    assert answer.json()["errors"][0]["loc"] == ["body", "config", "auto_map"]
