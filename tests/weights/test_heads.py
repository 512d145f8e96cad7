"""Classifiers that people put in place of a network's own, made by torch: its outputs, or a head that would fit."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torchvision
from torch import nn

from app.domain.vocabulary import ModelFormat, Origin
from app.errors import InputFailure
from tests.weights.headed_networks import (
    DROPOUT,
    LINEAR,
    RELU,
    SEQUENTIAL,
    assert_same_outputs,
    declared,
    file_of,
    rebuilt,
    used,
    with_head,
    wrapped,
)
from tests.weights.weight_files import fitted, saved
from worker.weights.architectures import build
from worker.weights.recorded_modules import check_recorded

ONE_READING: dict[str, tuple[Callable[[], nn.Module], str, list[Any], Origin]] = {
    "dropout, linear": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(nn.Dropout(), LINEAR(512, 2))),
        "resnet18", [DROPOUT, {"linear": 2}], Origin.ASSUMED,
    ),
    "linear, sigmoid": (
        lambda: with_head("densenet121", "classifier", SEQUENTIAL(LINEAR(1024, 3))),
        "densenet121", [{"linear": 3}], Origin.FILE,
    ),
    "no bias": (
        lambda: with_head("resnet18", "fc", LINEAR(512, 2, bias=False)),
        "resnet18", [{"linear": 2}], Origin.FILE,
    ),
    "norm, linear": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(nn.BatchNorm1d(512), LINEAR(512, 2))),
        "resnet18", ["batchnorm", {"linear": 2}], Origin.FILE,
    ),
    "one linear layer for several": (
        lambda: with_head("mobilenet_v3_small", "classifier", LINEAR(576, 2)),
        "mobilenet_v3_small", [{"linear": 2}], Origin.FILE,
    ),
    "within the last layer": (
        lambda: with_head("mobilenet_v3_small", "classifier.3", SEQUENTIAL(nn.Dropout(), LINEAR(1024, 2))),
        "mobilenet_v3_small", [DROPOUT, {"linear": 2}], Origin.ASSUMED,
    ),
    "beside the network": (
        lambda: wrapped("resnet18", "fc", head=LINEAR(512, 2)), "resnet18", [{"linear": 2}], Origin.ASSUMED
    ),
    "beside a network without its last layer alone": (
        lambda: wrapped("mobilenet_v3_small", "classifier.3", fc=LINEAR(1024, 2)),
        "mobilenet_v3_small", [{"linear": 2}], Origin.ASSUMED,
    ),
    "beside a network without all of its classifier": (
        lambda: wrapped("mobilenet_v3_small", "classifier", fc=LINEAR(576, 2)),
        "mobilenet_v3_small", [{"linear": 2}], Origin.ASSUMED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ONE_READING)
def test_one_reading(name: str) -> None:
    make, architecture, head, origin = ONE_READING[name]
    network = make()
    found = fitted(file_of(network), architecture)
    assert_same_outputs(found, network)
    assert (found.facts["head"].value, found.facts["head"].origin) == (head, origin)


SEVERAL: dict[str, tuple[Callable[[], nn.Module], str, list[Any]]] = {
    "two layers": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(LINEAR(512, 64), nn.ReLU(), nn.Dropout(), LINEAR(64, 2))),
        "resnet18", [{"linear": 64}, RELU, DROPOUT, {"linear": 2}],
    ),
    "a norm between": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(LINEAR(512, 64), nn.BatchNorm1d(64), nn.ReLU(), LINEAR(64, 2))),
        "resnet18", [{"linear": 64}, "batchnorm", RELU, {"linear": 2}],
    ),
    "of the same names as the network's own": (
        lambda: with_head(
            "mobilenet_v3_small", "classifier", SEQUENTIAL(LINEAR(576, 32), nn.ReLU(), nn.Dropout(), LINEAR(32, 2))
        ),
        "mobilenet_v3_small", [{"linear": 32}, RELU, DROPOUT, {"linear": 2}],
    ),
    "instead of a dropout and a layer": (
        lambda: with_head(
            "mobilenet_v2", "classifier", SEQUENTIAL(nn.Dropout(), LINEAR(1280, 32), nn.ReLU(), LINEAR(32, 2))
        ),
        "mobilenet_v2", [DROPOUT, {"linear": 32}, RELU, {"linear": 2}],
    ),
    "a module of the owner's": (
        lambda: wrapped("resnet18", "fc", fc1=LINEAR(512, 64), act=nn.ReLU(), fc2=LINEAR(64, 2)),
        "resnet18", [{"linear": 64}, RELU, {"linear": 2}],
    ),
    "behind the network's own last layer": (
        lambda: used(SEQUENTIAL(torchvision.models.resnet18(num_classes=8), nn.ReLU(), LINEAR(8, 2))),
        "resnet18", [{"linear": 8}, RELU, {"linear": 2}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEVERAL)
def test_an_activation_may_be_between(name: str) -> None:
    """The refusal prints a head that would fit; with it, outputs are torch's."""
    make, architecture, head = SEVERAL[name]
    network = make()
    content = file_of(network)
    with pytest.raises(InputFailure) as refused:
        fitted(content, architecture)
    assert (refused.value.code, refused.value.facts) == ("model-head-unknown", {"suggested_head": head})
    found = fitted(content, architecture, head=declared(head))
    assert_same_outputs(found, network)
    assert found.facts["head"].origin is Origin.REQUEST


ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu6": nn.ReLU6, "gelu": nn.GELU, "silu": nn.SiLU, "mish": nn.Mish, "hardswish": nn.Hardswish, "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid, "selu": nn.SELU, "softplus": nn.Softplus, "prelu": nn.PReLU,
    "elu": partial(nn.ELU, 0.7), "leaky_relu": partial(nn.LeakyReLU, 0.2),
}  # fmt: skip
NUMBERS = {"elu": 0.7, "leaky_relu": 0.2}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations(name: str) -> None:
    """The one that was declared; of a whole module the one that it recorded, and no other."""
    activation = ACTIVATIONS[name]()
    network = with_head("shufflenet_v2_x0_5", "fc", SEQUENTIAL(LINEAR(1024, 64), activation, LINEAR(64, 2)))
    shown: list[Any] = [{"linear": 64}, {name: NUMBERS[name]} if name in NUMBERS else name, {"linear": 2}]
    assert_same_outputs(fitted(file_of(network), "shufflenet_v2_x0_5", head=declared(shown)), network)
    whole = saved(network)
    found = fitted(whole, "shufflenet_v2_x0_5")
    assert_same_outputs(found, network)
    assert found.facts["head"].origin is Origin.FILE
    assert check_recorded(found, rebuilt(found))["network"].origin is Origin.FILE
    with pytest.raises(InputFailure, match="declared") as refused:
        fitted(whole, "shufflenet_v2_x0_5", head=declared([{"linear": 64}, "hardswish", "tanh", {"linear": 2}]))
    assert refused.value.code == "model-head-unknown"


def test_layers_of_all_kinds() -> None:
    parts = [nn.LayerNorm(1024, eps=1e-6), LINEAR(1024, 32, bias=False), nn.BatchNorm1d(32, eps=1e-3, affine=False)]
    network = with_head("shufflenet_v2_x0_5", "fc", SEQUENTIAL(*parts, nn.ReLU(), LINEAR(32, 2), nn.LogSoftmax(1)))
    layers = [{"layernorm": 1e-6}, {"linear": 32}, {"batchnorm": 1e-3}, RELU, {"linear": 2}, "log_softmax"]
    assert_same_outputs(fitted(file_of(network), "shufflenet_v2_x0_5", head=declared(layers)), network)
    assert_same_outputs(fitted(saved(network), "shufflenet_v2_x0_5"), network)


def test_safetensors_order_names_by_themselves() -> None:
    from safetensors.torch import save

    parts = [part for _ in range(11) for part in (LINEAR(1024, 1024), nn.ReLU())]
    network = with_head("shufflenet_v2_x0_5", "fc", SEQUENTIAL(*parts, LINEAR(1024, 2)))
    layers = [one for _ in range(11) for one in ({"linear": 1024}, RELU)] + [{"linear": 2}]
    content = save(dict(network.state_dict()))
    assert_same_outputs(fitted(content, "shufflenet_v2_x0_5", ModelFormat.SAFETENSORS, head=declared(layers)), network)


REFUSED: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "another width": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(nn.Flatten(), LINEAR(256, 2))), "model-head-unknown"
    ),
    "none": (lambda: with_head("resnet18", "fc", nn.Identity()), "model-architecture-mismatch"),
    "convolutions": (
        lambda: with_head("resnet18", "fc", SEQUENTIAL(nn.Conv1d(512, 2, 1))), "model-head-unknown"
    ),
    "no flattening": (lambda: with_head("convnext_tiny", "classifier", LINEAR(768, 2)), "model-head-unknown"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_no_reading(name: str) -> None:
    make, code = REFUSED[name]
    architecture = "convnext_tiny" if name == "no flattening" else "resnet18"
    with pytest.raises(InputFailure) as refused:
        build(architecture, fitted(file_of(make()), architecture).weights)
    assert refused.value.code == code


def test_one_head_too_many() -> None:
    """The one that does not count is ignored by its name, whichever of the two it is."""
    network = torchvision.models.resnet18(num_classes=7).eval()
    other = LINEAR(512, 2)
    weights = network.state_dict() | {f"head.{name}": tensor for name, tensor in other.state_dict().items()}
    with pytest.raises(InputFailure) as refused:
        fitted(saved(weights), "resnet18")
    assert refused.value.code == "model-architecture-mismatch"
    assert '["head.*"]' in refused.value.detail
    assert '["fc.*"]' in refused.value.detail
    assert_same_outputs(fitted(saved(weights), "resnet18", ignore_tensors=("head.*",)), network)
    network.fc = other
    assert_same_outputs(fitted(saved(weights), "resnet18", ignore_tensors=("fc.*",)), network)


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ([RELU], "a linear layer"),
        ([{"linear": 2}, RELU], "nothing but softmax"),
        (["softmax", {"linear": 2}], "stands at the end"),
        (["linear"], "number of its outputs"),
        ([{"relu": 2}, {"linear": 2}], "takes no number"),
        ([{"linear": 0}], "between 1 and"),
        (["conv", {"linear": 2}], "relu"),
        ([], "at least 1"),
    ],
)
def test_declarations_that_are_none(layers: list[Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        declared(layers)
