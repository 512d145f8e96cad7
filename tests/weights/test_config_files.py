"""config.json and preprocessor_config.json as their libraries write them, and as a registration reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import transformers
from pydantic import ValidationError
from timm.data.config import resolve_data_config
from timm.data.transforms_factory import create_transform
from timm.models._hub import save_config_for_hf

from app.commands.model_uploads import Description
from app.errors import Unprocessable
from app.models.description import described_request
from app.models.missing import DESCRIBED
from app.models.requests import ModelRequest
from tests.weights.hugging_face import NAMES, SIDE, json_of, registered, saved
from tests.weights.prepared import PICTURES, PLAIN, given, processor, read_of

Json = dict[str, Any]


def timm_config(tmp_path: Path, **changes: Any) -> Json:
    network = timm.create_model("resnet18", num_classes=3)
    path = tmp_path / "config.json"
    save_config_for_hf(network, str(path), model_config={"label_names": NAMES})
    config = json_of(path)
    return config | {"pretrained_cfg": config["pretrained_cfg"] | changes}


def test_what_transformers_saved(tmp_path: Path) -> None:
    config, _ = saved("ViTForImageClassification", tmp_path)
    _, file = processor("ViTImageProcessor", size={"height": SIDE, "width": SIDE})
    told = registered(config, file, class_names=["a", "b", "c"])
    assert told.architecture == "transformers/ViTForImageClassification"
    assert (told.architecture_options["hidden_size"], told.architecture_options["patch_size"]) == (32, 16)
    assert "id2label" not in told.architecture_options
    facts = described_request(told, DESCRIBED, told.told)
    assert facts["architecture"]["from"] == "config.json"
    assert facts["architecture_options.hidden_size"] == {"value": 32, "from": "config.json"}
    assert facts["preprocessing.mean"] == {"value": [0.5] * 3, "from": "preprocessor_config.json"}
    assert facts["class_names"] == {"value": ["a", "b", "c"], "from": "request"}
    assert registered(config, file).class_names == NAMES


def test_what_timm_saved(tmp_path: Path) -> None:
    told = registered(timm_config(tmp_path))
    assert (told.architecture, told.class_names) == ("timm/resnet18", NAMES)
    assert told.architecture_options == {"global_pool": "avg", "in_chans": 3}
    assert read_of(told).stored() == {
        "input_size": 224, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
        "resize": {"shorter_side": 235}, "interpolation": "bicubic",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crop_pct": 1.0, "interpolation": "bilinear"},
        {"crop_mode": "squash"},
        {"crop_mode": "squash", "crop_pct": 1.0},
        {"crop_mode": "border", "crop_pct": 1.0},
        {"input_size": [3, 96, 96], "mean": [0.5] * 3, "std": [0.5] * 3},
    ],
)
def test_inputs_are_those_of_timms_transforms(changes: Json, tmp_path: Path) -> None:
    config = timm_config(tmp_path, **changes)
    transform = create_transform(**resolve_data_config(pretrained_cfg=config["pretrained_cfg"]))
    told = read_of(registered(config))
    for image in PICTURES.values():
        expected = transform(image)
        assert float((given(told, image) - expected).abs().max()) < 1e-6, "Pillow resizes both"


def test_the_command_line_sends_the_files_of_a_folder(tmp_path: Path) -> None:
    config, _ = saved("ViTForImageClassification", tmp_path)
    transformers.ViTImageProcessor().save_pretrained(tmp_path)
    body = Description(description=tmp_path / "config.json", input_size="96").document(tmp_path / "model.safetensors")
    assert (body["config"], body["name"], body["format"]) == (config, "model", "safetensors")
    told = ModelRequest.model_validate(body)
    assert (told.architecture, read_of(told).input_size) == ("transformers/ViTForImageClassification", 96)
    assert read_of(told).mean == (0.5,) * 3
    ours = tmp_path / "recipe.json"
    ours.write_text(json.dumps({"architecture": "resnet18", "preprocessing": PLAIN}))
    assert "config" not in Description(description=ours).document(tmp_path / "a.pth")


@pytest.mark.parametrize("value", [[[[1]]], {"a": {"b": 1}}, "x" * 61, [1] * 65])
def test_values_that_no_builder_takes(value: object) -> None:
    with pytest.raises(ValidationError, match="architecture_options"):
        registered({"model_type": "vit", "patch_size": value}, preprocessing=PLAIN)


def test_one_flat_object_as_timm_wrote_before(tmp_path: Path) -> None:
    config = timm_config(tmp_path)
    flat = {"architecture": "resnet18", "label_names": NAMES} | config["pretrained_cfg"]
    told, expected = registered(flat), registered(config)
    assert (told.architecture, told.class_names) == (expected.architecture, expected.class_names)
    assert told.preprocessing == expected.preprocessing


def test_the_wrapper_around_timm_is_timms_network(tmp_path: Path) -> None:
    wrapped = transformers.TimmWrapperConfig.from_dict(timm_config(tmp_path) | {"model_args": {"output_stride": 16}})
    wrapped.save_pretrained(tmp_path)
    told = registered(json_of(tmp_path / "config.json"))
    assert (told.architecture, told.class_names) == ("timm/resnet18", NAMES)
    assert told.architecture_options == {"global_pool": "avg", "output_stride": 16}


def test_the_size_that_a_network_of_timm_is_made_for(tmp_path: Path) -> None:
    network = timm.create_model("vit_tiny_patch16_224", img_size=96, num_classes=3)
    save_config_for_hf(network, str(tmp_path / "config.json"))
    config = json_of(tmp_path / "config.json")
    told = registered(config, preprocessing={"resize": "stretch", "mean": [0.5] * 3})
    assert (read_of(told).input_size, told.architecture_options["img_size"]) == (96, [96, 96])


def test_names_that_stand_for_two_classes() -> None:
    labels = {"0": "crane", "1": "owl", "2": "crane"}
    told = registered({"model_type": "vit", "id2label": labels}, preprocessing=PLAIN)
    assert told.class_names == ["crane [0]", "owl", "crane [2]"]
    assert "crane" in str(described_request(told, DESCRIBED, told.told)["class_names"]["note"])


def test_labels_that_nobody_named_are_none() -> None:
    labels = {"0": "LABEL_0", "1": "LABEL_1"}
    assert registered({"model_type": "vit", "id2label": labels}, preprocessing=PLAIN).class_names is None


@pytest.mark.parametrize(
    ("config", "code", "told"),
    [
        (
            {"model_type": "vit", "auto_map": {"AutoConfig": "theirs.Config"}},
            "model-unsafe",
            "config.auto_map names code",
        ),
        (
            {"architecture": "resnet18", "pretrained_cfg": {"custom_load": True}},
            "model-unsafe",
            "custom_load names code",
        ),
        ({"architecture": "resnet18", "custom_load": "hf"}, "model-unsafe", "custom_load names code"),
        ({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}, "model-architecture-unknown", "GPT2LMHeadModel"),
        ({"model_type": "vit", "architectures": ["ViTModel"]}, "model-architecture-unknown", "'ViTModel'"),
        ({"model_type": "theirs"}, "model-architecture-unknown", "'theirs'"),
        ({"hello": 1}, "model-architecture-unknown", "neither an architecture"),
        ({"model_type": "vit", "id2label": {"0": "a", "2": "b"}}, "architecture-options-invalid", "id2label does not"),
        ({"model_type": "vit", "quantization_config": {"bits": 4}}, "architecture-options-invalid", "quantised"),
        ({"model_type": "vit", "problem_type": "regression"}, "architecture-options-invalid", "regression"),
        ({"architecture": "resnet18", "label_offset": 1}, "architecture-options-invalid", "label_offset"),
    ],
)
def test_configs_that_are_refused(config: Json, code: str, told: str) -> None:
    with pytest.raises(Unprocessable, match=told) as caught:
        registered(config, preprocessing=PLAIN)
    assert caught.value.code == code
