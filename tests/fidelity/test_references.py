"""A reference goes through the whole service: uploaded, compared by a worker, shown, and audits that follow it."""

import io
from typing import Any

import httpx
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save
from torchvision.models import shufflenet_v2_x0_5
from torchvision.transforms import v2

from tests.fidelity.reference_files import archive, classes, logits_of, outputs, pictures, resized
from tests.waiting import RECIPE, WEIGHTS, until, upload, wait_for

Json = dict[str, Any]
CONTENT = (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()


@pytest.fixture(scope="module")
def model(service: httpx.Client) -> Json:
    return upload(service, "models", RECIPE | {"name": "referred"}, CONTENT)


def refer(service: httpx.Client, model: Json, content: bytes) -> Json:
    """Sent, and waited for."""
    put = service.put(model["reference_url"], content=content)
    assert put.status_code == 202, put.text
    assert put.json()["fidelity"] is None

    def looked_at() -> Json:
        found: Json = service.get(f"/v1/models/{model['id']}").json()["fidelity"]
        return found

    return until(looked_at)


def test_the_owners_own_logits_verify_a_model(service: httpx.Client, model: Json) -> None:
    images = pictures()
    found = refer(service, model, archive(images, outputs(logits_of(images))))
    assert (found["status"], found["images"], found["agreeing"]) == ("verified", 12, 12)
    assert found["predicted_classes"] == 2
    assert found["compared"] == "logits"
    assert found["largest_difference"] < 1e-4
    assert found["suggestion"] is None


def test_probabilities_and_classes_are_compared_as_such(service: httpx.Client, model: Json) -> None:
    images = pictures()
    values = logits_of(images)
    rounded = (values.softmax(1) * 1e4).round() / 1e4
    found = refer(service, model, archive(images, outputs(rounded), folder="reference/"))
    assert (found["status"], found["compared"]) == ("verified", "probabilities")
    found = refer(service, model, archive(images, classes(values)))
    assert (found["status"], found["compared"], found["largest_difference"]) == ("verified", "classes", None)


def test_few_images_verify_nothing(service: httpx.Client, model: Json) -> None:
    images = pictures(6)
    assert refer(service, model, archive(images, outputs(logits_of(images))))["status"] == "unverified"


def test_a_model_that_was_trained_otherwise_is_contradicted_and_not_audited(
    service: httpx.Client, model: Json, dataset: Json
) -> None:
    images = pictures(8)
    said = outputs(logits_of(images, lambda image: resized(image)[..., ::-1]))
    found = refer(service, model, archive(images, said))
    assert found["status"] == "contradicted", found
    assert found["suggested_change"] == {"preprocessing": {"channels": "bgr"}}
    refused = service.post("/v1/audits", json={"dataset_id": dataset["id"], "model_ids": [model["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "model-not-as-described")
    assert "blue, green, red" in refused.json()["detail"]
    assert found["agreeing"] < 8


def _cropped_bgr(image: Image.Image) -> NDArray[Any]:
    return np.asarray(image.resize((280, 224), Image.Resampling.BILINEAR).crop((28, 0, 252, 224)))[..., ::-1]


def test_two_things_that_were_otherwise_are_found_by_trying(service: httpx.Client, model: Json) -> None:
    images = pictures(8)
    found = refer(service, model, archive(images, outputs(logits_of(images, _cropped_bgr))))
    both = {"preprocessing": {"channels": "bgr", "resize": "shorter_side_crop"}}
    assert (found["status"], found["suggested_change"]) == ("contradicted", both), found
    change = {"preprocessing": RECIPE["preprocessing"] | found["suggested_change"]["preprocessing"]}
    again = upload(service, "models", RECIPE | change | {"name": "as suggested"}, CONTENT)
    found = refer(service, again, archive(images, outputs(logits_of(images, _cropped_bgr))))
    assert (found["status"], found["agreeing"]) == ("verified", 8), found


def grey_network(images: dict[str, Image.Image]) -> tuple[torch.nn.Module, torch.Tensor]:
    """One channel in, and the logits of torchvision's own transforms: a shorter side of 256 by bicubic interpolation,
    the middle, grey, -1 to 1. Half of the images are of either class."""
    weights = load_file(WEIGHTS / "cross_entropy_run1.safetensors")
    weights["conv1.0.weight"] = weights["conv1.0.weight"].float().sum(1, keepdim=True)
    network = shufflenet_v2_x0_5(num_classes=2)
    network.conv1[0] = torch.nn.Conv2d(1, 24, 3, 2, 1, bias=False)
    network.load_state_dict(weights)
    of_pictures = (v2.Resize(256, v2.InterpolationMode.BICUBIC), v2.CenterCrop(224), v2.Grayscale())
    of_numbers = (v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5], [0.5]))
    inputs = torch.stack([v2.Compose([*of_pictures, *of_numbers])(image) for image in images.values()])
    with torch.no_grad():
        logits = network.eval()(inputs)
        middle = logits.median(0).values
        network.fc.bias -= middle
    return network, logits - middle


def test_a_grey_network_with_a_crop_of_its_own_is_verified_and_audited(service: httpx.Client, dataset: Json) -> None:
    images = pictures()
    network, logits = grey_network(images)
    content = save(network.state_dict())
    refused = upload(service, "models", RECIPE | {"name": "grey"}, content)
    assert '"channels": "grey"' in refused["problem"]["detail"]
    described = {"input_size": 224, "channels": "grey", "value_range": "signed"}
    described |= {"resize": {"shorter_side": 256}, "interpolation": "bicubic"}
    model = upload(service, "models", RECIPE | {"name": "grey", "preprocessing": described}, content)
    shown = {
        "mean": [0.0],
        "std": [1.0],
        "antialias": True,
        "crop_offset": "rounded",
        "alpha": "black",
        "sixteen_bit": "scaled",
    }
    assert model["preprocessing"] == described | shown
    found = refer(service, model, archive(images, outputs(logits)))
    assert (found["status"], found["agreeing"]) == ("verified", 12), found
    measures: Json = {"entropy": {}, "noise_reaction": {"curve": []}, "sufficiency": {}}
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "sample_limit": 4}
    audit = service.post("/v1/audits", json=body | {"protocol": {"micro_batch": 4, "measures": measures}}).json()
    path = f"/v1/audits/{audit['id']}"
    assert wait_for(service, path, "succeeded", "failed")["status"] == "succeeded"
    [sample] = service.get(f"{path}/samples", params={"limit": 1}).json()["items"]
    picture = service.get(f"{path}/samples/{sample['sample_id']}/map", headers={"Accept": "image/png"})
    assert Image.open(io.BytesIO(picture.content)).size == (224, 224)


def test_swapped_classes_are_found(service: httpx.Client, model: Json) -> None:
    images = pictures(8)
    swapped = logits_of(images)[:, [1, 0]]
    for said in (classes(swapped), outputs(swapped)):
        found = refer(service, model, archive(images, said))
        assert found["status"] == "contradicted"
        assert found["suggested_change"] == {"class_names": ["non_face", "face"]}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ({"class": "dog"}, "no class of the model is 'dog'"),
        ({"outputs": [1.0, 2.0, 3.0]}, "it has 3 outputs, and the model has 2"),
        ({"path": "missing.png", "class": 0}, "the archive has no file 'missing.png'"),
        ({}, "it has neither class nor outputs"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(service: httpx.Client, model: Json, line: Json, sentence: str) -> None:
    images = pictures(2)
    found = refer(service, model, archive(images, [{"class": 0}, line]))
    assert found["status"] == "unverified"
    assert found["problem"]["code"] == "reference-invalid"
    assert found["problem"]["detail"].startswith(f"Line 2 of outputs.jsonl: {sentence}.")


def test_what_is_no_zip_is_refused_at_once(service: httpx.Client, model: Json) -> None:
    assert service.put(model["reference_url"], content=b"path,class\n").status_code == 415


def test_a_reference_that_comes_before_the_weights_is_looked_at_after_them(service: httpx.Client) -> None:
    created = service.post("/v1/models", json=RECIPE | {"name": "early"}).json()
    images = pictures()
    assert service.put(created["reference_url"], content=archive(images, classes(logits_of(images)))).status_code == 202
    assert service.put(created["content_url"], content=CONTENT).status_code == 202
    found = until(lambda: service.get(f"/v1/models/{created['id']}").json()["fidelity"])
    assert found["status"] == "verified"
    assert service.delete(f"/v1/models/{created['id']}").status_code == 204


def test_unequal_outputs_of_equal_classes_contradict(service: httpx.Client, model: Json) -> None:
    images = pictures(8)
    found = refer(service, model, archive(images, outputs(logits_of(images) * torch.tensor([1.0, 1.5]))))
    assert (found["status"], found["suggested_change"]) == ("contradicted", None)
    assert found["suggestion"]


def test_an_audit_tells_how_far_its_model_is_verified(service: httpx.Client, dataset: Json) -> None:
    model = upload(service, "models", RECIPE | {"name": "told"}, CONTENT)
    images = pictures()
    refer(service, model, archive(images, outputs(logits_of(images))))
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "sample_limit": 4}
    audit = service.post("/v1/audits", json=body | {"protocol": {"micro_batch": 4, "measures": {"entropy": {}}}}).json()
    path = f"/v1/audits/{audit['id']}"
    assert wait_for(service, path, "succeeded", "failed")["status"] == "succeeded"
    [told] = service.get(f"{path}/results").json()["models"]
    assert told["fidelity"]["status"] == "verified"
    sentence = "verified: 12 of 12 of the owner's predictions agree"
    assert f"The model told is {sentence}." in service.get(f"{path}/model-card").text
    assert sentence.replace("'", "&#39;") in service.get(f"{path}/report").text
