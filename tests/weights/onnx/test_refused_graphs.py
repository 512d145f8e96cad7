"""Graphs whose salience cannot be taken are refused with the reason, or explained by masks of the images."""

from collections.abc import Callable
from functools import cache

import onnx
import pytest
import torch
from onnx import helper
from torch import Tensor, nn

from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from tests.corpus.onnx_files import serialised
from tests.weights.onnx.graphs import SIZE, exported, exported_by_dynamo, graph, probed, small


@cache
def traced() -> bytes:
    return exported(small())


def norm_over_the_batch() -> bytes:
    """Each image less the mean of its batch."""
    model = onnx.load_model_from_string(traced())
    mean = helper.make_node("ReduceMean", ["images", "axes"], ["mean"], keepdims=1)
    model.graph.initializer.append(helper.make_tensor("axes", onnx.TensorProto.INT64, [1], [0]))
    less = helper.make_node("Sub", ["images", "mean"], ["less"])
    for node in model.graph.node:
        node.input[:] = ["less" if name == "images" else name for name in node.input]
    nodes = [mean, less, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return serialised(model)


def two_outputs() -> bytes:
    model = onnx.load_model_from_string(traced())
    model.graph.output.append(helper.make_empty_tensor_value_info(model.graph.node[-2].output[0]))
    return serialised(model)


def around_the_map() -> bytes:
    """The outputs depend on the images in a second way, past every feature map."""
    model = onnx.load_model_from_string(traced())
    logits = model.graph.output[0].name
    more = [
        helper.make_node("GlobalMaxPool", ["images"], ["lightest"]),
        helper.make_node("Flatten", ["lightest"], ["colour"]),
        helper.make_node("Add", [logits, "colour"], ["both"]),
    ]
    model.graph.node.extend(more)
    model.graph.output[0].name = "both"
    return serialised(model)


class Tokens(nn.Module):
    """Patches that attend to each other, and a class token that is read."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 8, 8)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.mixed = nn.Linear(17, 17)
        self.fc = nn.Linear(8, 3)

    def forward(self, images: Tensor) -> Tensor:
        cells = self.patches(images).flatten(2).mT
        tokens = torch.cat([self.token.expand(len(images), -1, -1), cells], 1)
        found: Tensor = self.fc(self.mixed(tokens.mT).mT[:, 0])
        return found


def of_no_images() -> bytes:
    nodes = [helper.make_node("Flatten", ["images"], ["out"])]
    return serialised(graph(nodes, [], ["batch", 5]))


REFUSED = {
    "over the batch": (norm_over_the_batch, "onnx-not-supported", "other images of its batch"),
    "two outputs": (two_outputs, "onnx-not-supported", "2 outputs"),
    "no images": (of_no_images, "onnx-not-supported", "float of shape ['free', 5]"),
}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (around_the_map, "the operator Add"),
        (lambda: exported_by_dynamo(Tokens().eval()), "the operator Gather"),
    ],
)
def test_where_no_feature_map_is_known_the_images_are_masked(make: Callable[[], bytes], why: str) -> None:
    found = probed(make())
    assert (found.probe.cam_methods, found.probe.target_layer) == ((CamMethod.RISE,), "images")
    assert (found.probe.map_channels, found.probe.map_height, found.probe.map_width) == (3, SIZE, SIZE)
    told = found.facts["graph.salience"]
    assert (told.value, why in (told.note or "")) == ("masked images", True), told.note


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_explained_is_refused_with_the_reason(name: str) -> None:
    make, code, words = REFUSED[name]
    with pytest.raises(InputFailure) as refused:
        probed(make())
    assert (refused.value.code, words in refused.value.detail) == (code, True), refused.value.detail
