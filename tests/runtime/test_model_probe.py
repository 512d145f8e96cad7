"""What one probe batch finds in a model, and what it refuses."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.probe import probe


class Network(nn.Module):
    """Conv, squeeze-and-excitation, global pooling, head, and whatever ``finish`` makes of the logits."""

    def __init__(self, finish: Callable[[Tensor], Any] = lambda logits: logits, classes: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.gate = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, classes)
        self.finish = finish

    def forward(self, images: Tensor) -> Any:
        features = self.act(self.conv(images))
        features = features * self.gate(features.mean((2, 3), keepdim=True)).sigmoid()
        return self.finish(self.head(features.mean((2, 3))))


def test_resnet() -> None:
    found = probe(torchvision.models.resnet18(weights=None, num_classes=6), input_size=96, target_layer=None)
    assert (found.classes, found.target_layer, found.map_height, found.map_width) == (6, "layer4", 3, 3)
    assert found.parameter_count == 11_179_590
    assert "relu" in found.in_place_operations
    assert not found.final_softmax
    layers = {layer.name: layer for layer in found.candidate_layers}
    assert (layers["layer3"].channels, layers["layer3"].height, layers["layer3"].width) == (256, 6, 6)
    assert "avgpool" not in layers
    assert json.loads(json.dumps(found.to_dict()))["candidate_layers"][0]["name"] == "conv1"


def test_the_last_pooling_counts_not_that_of_a_gate() -> None:
    found = probe(Network(), input_size=16, target_layer=None)
    assert (found.map_height, found.map_width) == (8, 8)
    assert found.target_layer == "(functional)"


def test_layer_by_name() -> None:
    found = probe(Network(), input_size=16, target_layer="conv")
    assert found.target_layer == "conv"
    with pytest.raises(InputFailure, match=r"'nowhere'.*conv, act") as caught:
        probe(Network(), input_size=16, target_layer="nowhere")
    assert caught.value.code == "target-layer-not-found"


class Reused(nn.Module):
    """A layer with a bias that is passed twice, two poolings, and a layer that no output depends on."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, stride=2, padding=1)
        self.act = nn.ReLU()
        self.aside = nn.ReLU()
        self.head = nn.Linear(3, 2)

    def forward(self, images: Tensor) -> Tensor:
        features = self.act(self.conv(self.conv(images)))
        self.aside(features - 1)
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


def test_methods_that_suppose_another_form_are_told_layer_by_layer() -> None:
    found = probe(Reused(), input_size=16, target_layer=None)
    refused = {layer.name: set(layer.not_possible) for layer in found.candidate_layers}
    assert refused["act"] == {CamMethod.ATTENTION_ROLLOUT, CamMethod.FULLGRAD}
    assert refused["conv"] == refused["aside"] == {*refused["act"], CamMethod.CAM}
    assert set(CamMethod) - set(found.cam_methods) == refused[found.target_layer]


def test_a_transformer_has_roll_out_and_no_cam() -> None:
    network = torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=3)
    nn.init.normal_(network.heads[-1].weight)
    found = probe(network, input_size=32, target_layer=None)
    refused = {layer.name: set(layer.not_possible) for layer in found.candidate_layers}
    assert refused[found.target_layer] == {CamMethod.CAM} == set(CamMethod) - set(found.cam_methods)
    assert refused["conv_proj"] == {CamMethod.CAM, CamMethod.ATTENTION_ROLLOUT}, "its cells are no tokens yet"


@pytest.mark.parametrize("network", [Reused(), torchvision.models.resnet18(num_classes=2)])
def test_what_the_probe_refuses_is_refused_at_work(network: nn.Module) -> None:
    """And nothing else: the methods that are told apart are made and asked for a map."""
    found = probe(network, input_size=64, target_layer=None)
    hook = TargetHook(network.eval(), input_size=64)
    for method, spec in METHOD_SPECS.items():
        if spec.refused is not None:
            with nullcontext() if method in found.cam_methods else pytest.raises(InputFailure, match="cam-method-"):
                make_explainer(method, hook).explain(hook.trial_images(), None)


def test_two_probes_are_equal() -> None:
    network = Network()
    assert probe(network, input_size=16, target_layer=None) == probe(network, input_size=16, target_layer=None)


@pytest.mark.parametrize("function", [lambda x: x.softmax(1), lambda x: nn.functional.log_softmax(x, dim=1)])
def test_final_softmax(function: Callable[[Tensor], Tensor]) -> None:
    assert probe(Network(function), input_size=16, target_layer=None).final_softmax
    inside = Network(lambda logits: logits + function(logits))
    assert not probe(inside, input_size=16, target_layer=None).final_softmax


@pytest.mark.parametrize(
    "finish",
    [
        lambda logits: (logits, logits),
        lambda logits: {"out": logits},
        lambda logits: logits[:, :1],
        lambda logits: logits[:, 0],
        lambda logits: logits[:1],
        lambda logits: logits.view(-1, 3, 1, 1),
        lambda logits: logits.double(),
        lambda logits: logits.half(),
        lambda logits: logits.argmax(1, keepdim=True).expand(2, 3),
        lambda logits: logits / 0,
        lambda logits: logits * torch.nan,
        lambda logits: logits.view(7, 7),
        lambda _: None,
    ],
)
def test_outputs_that_are_refused(finish: Callable[[Tensor], Any]) -> None:
    with pytest.raises(InputFailure) as caught:
        probe(Network(finish), input_size=16, target_layer=None)
    assert caught.value.code == "model-output-mismatch"


def test_images_that_are_too_small_for_the_network() -> None:
    with pytest.raises(InputFailure, match="8 x 8 pixels") as caught:
        probe(torchvision.models.alexnet(weights=None, num_classes=2), input_size=8, target_layer=None)
    assert caught.value.code == "model-output-mismatch"


def test_a_transformer_is_explained_at_its_tokens() -> None:
    network = torchvision.models.VisionTransformer(32, 8, 1, 2, 16, 32, num_classes=3)
    found = probe(network, input_size=32, target_layer=None)
    assert (found.target_layer, found.map_channels) == ("encoder.layers.encoder_layer_0.ln_1", 16)
    layers = {layer["name"]: layer for layer in found.to_dict()["candidate_layers"]}
    shown = layers[found.target_layer]
    assert (shown["layout"], shown["prefix_tokens"], shown["height"], shown["width"]) == ("tokens", 1, 4, 4)
