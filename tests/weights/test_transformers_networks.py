"""Networks of transformers from a config.json and weights: the library's own outputs, and what is refused."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from app.domain.models.transformers_classes import MODEL_TYPES
from app.domain.vocabulary import CamMethod, ModelFormat
from app.errors import InputFailure
from tests.weights.hugging_face import CONFIGS, PREPROCESSING, SIDE, network, registered, saved
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.architectures import build, options_read, outline_of
from worker.weights.fitting import FittedWeights, WeightsRequest, read_weights
from worker.weights.probe import probe
from worker.weights.without_memory import MOST_TENSORS


def fitted(config: dict[str, Any], weights: bytes) -> tuple[FittedWeights, dict[str, Any]]:
    request = registered(config, preprocessing=PREPROCESSING)
    assert request.architecture is not None
    options = request.architecture_options
    asked = WeightsRequest(ModelFormat.SAFETENSORS, request.architecture, options=options)
    return read_weights(io.BytesIO(weights), asked), dict(options)


def test_every_class_has_a_case() -> None:
    assert set(CONFIGS) == set(MODEL_TYPES)


@pytest.mark.parametrize("name", MODEL_TYPES)
def test_outputs_are_those_of_the_library(name: str, tmp_path: Path) -> None:
    config, weights = saved(name, tmp_path)
    found, options = fitted(config, weights)
    assert found.architecture == f"transformers/{name}"
    mine = build(found.architecture, found.weights, options)
    images = torch.randn(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))
    theirs = getattr(transformers, name).from_pretrained(tmp_path).eval()
    with torch.no_grad():
        expected = theirs(images).logits
        assert torch.equal(mine(images), expected)
    assert expected.shape == (2, 3)
    assert float(expected.std()) > 1e-3
    # What a worker stores has the names of its network, and is read again as it is.
    again = build(found.architecture, mine.state_dict(), options_read(found.architecture, options))
    with torch.no_grad():
        assert torch.equal(again(images), expected)


def test_image_sizes_may_be_pairs() -> None:
    """Height and width, in config.json and in preprocessor_config.json; the map has the sides of the grid."""
    name = "ViTForImageClassification"
    theirs = network(name, image_size=[48, 80])
    processor = json.loads(transformers.ViTImageProcessor(size={"height": 48, "width": 80}).to_json_string())
    request = registered(json.loads(theirs.config.to_json_string()) | {"architectures": [name]}, processor)
    assert request.architecture is not None
    assert request.preprocessing is not None
    assert request.preprocessing.input_size == (48, 80)
    mine = build(request.architecture, theirs.state_dict(), dict(request.architecture_options)).eval()
    images = torch.randn(2, 3, 48, 80, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        assert torch.equal(mine(images), theirs(images).logits)
    found = probe(mine, input_size=(48, 80), target_layer=None)
    assert (found.map_height, found.map_width) == (3, 5)
    seen = make_explainer(CamMethod.GRADCAM, TargetHook(mine, input_size=(48, 80))).explain(images, None)
    targets = [ClassifierOutputTarget(index) for index in seen.predicted.tolist()]
    layer = mine.get_submodule(found.target_layer)
    with GradCAM(mine, [layer], reshape_transform=lambda out: out[:, 1:].mT.reshape(2, -1, 3, 5)) as cam:
        cam.get_target_width_height = lambda _images: None
        expected = torch.from_numpy(cam(images, targets))
    assert (min_max(seen.maps)[0] - min_max(expected)[0]).abs().max() < 2e-5


def test_fields_that_the_library_does_not_read_are_left_out() -> None:
    said = CONFIGS["ResNetForImageClassification"] | {"path_norm": True, "torchscript": False}
    read = options_read("transformers/ResNetForImageClassification", said)
    assert read == CONFIGS["ResNetForImageClassification"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"hidden_size": 10**9}, "hidden_size is not"),
        ({"hidden_size": float("nan")}, "hidden_size is not"),
        ({"hidden_act": "x" * 100}, "hidden_act is not"),
        ({"patch_size": [16] * 1000}, "patch_size is not"),
        ({"patch_size": [[16]]}, "patch_size is not"),
        ({"hidden_size": {"a": 1}}, "hidden_size is not"),
        ({"hidden_act": "no_such"}, "the library refuses it"),
        ({"num_attention_heads": 0}, "the library refuses it"),
        ({"patch_size": 0}, "the library refuses it"),
        ({"hidden_size": "32"}, "the library refuses it"),
        ({"num_hidden_layers": 10_000, "hidden_size": 4, "num_attention_heads": 1}, f"more than {MOST_TENSORS}"),
    ],
)
def test_configs_that_make_no_network(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputFailure, match=told) as caught:
        outline_of("transformers/ViTForImageClassification", CONFIGS["ViTForImageClassification"] | options)
    assert caught.value.code == "architecture-options-invalid"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("transformers/ViTForImageClasification", "transformers/ViTForImageClassification"),
        ("transformers/GPT2LMHeadModel", "Known of transformers are BeitForImageClassification, "),
    ],
)
def test_other_classes_are_unknown(name: str, told: str) -> None:
    with pytest.raises(InputFailure, match=told) as caught:
        outline_of(name)
    assert caught.value.code == "model-architecture-unknown"


def test_weights_of_another_size_are_told_by_name(tmp_path: Path) -> None:
    config, weights = saved("ViTForImageClassification", tmp_path)
    found, options = fitted(config | {"intermediate_size": 96}, weights)
    with pytest.raises(InputFailure, match=r"'vit\.layers\.0\.mlp\.fc1\.weight' \(expected \[96, 32\]") as caught:
        build(found.architecture, found.weights, options)
    assert caught.value.code == "model-architecture-mismatch"
    assert network("ViTForImageClassification").config.intermediate_size == 64
