"""ONNX files of small networks: torch's two exporters, and what tf2onnx writes of a Keras network, by hand."""

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from app.domain.models.input_size import InputSize, size_of
from app.domain.models.outputs import CLASSES, Output
from tests.corpus.onnx_files import serialised
from worker.weights.onnx.probing import ProbedGraph

SIZE = 32


class Small(nn.Module):
    """Convolutions with a norm and a residual way, a global pooling, one linear layer."""

    def __init__(self, outputs: int = 3, end: nn.Module | None = None) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(16, outputs)
        self.end = nn.Identity() if end is None else end

    def forward(self, images: Tensor) -> Tensor:
        seen = self.stem(images)
        seen = self.last(seen + self.block(seen))
        found: Tensor = self.end(self.fc(torch.flatten(self.pool(seen), 1)))
        return found


def small(outputs: int = 3, end: nn.Module | None = None, seed: int = 0) -> Small:
    """With norms that are none of identity."""
    torch.manual_seed(seed)
    network = Small(outputs, end)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_var is not None
            part.running_mean.uniform_(-0.2, 0.2)
            part.running_var.uniform_(0.5, 2)
    return network.eval()


def exported(
    network: nn.Module, *, size: InputSize = SIZE, batch: int = 2, free: bool = True, channels: int = 3
) -> bytes:
    """By torch's exporter of traces."""
    file: Any = io.BytesIO()
    axes = {"images": {0: "batch"}} if free else None
    images = torch.zeros(batch, channels, *size_of(size))
    with warnings.catch_warnings(action="ignore"):  # torch says that there is a newer one
        torch.onnx.export(network, (images,), file, input_names=["images"], dynamic_axes=axes, dynamo=False)
    data: bytes = file.getvalue()
    return data


def exported_by_dynamo(network: nn.Module, *, size: int = SIZE) -> bytes:
    """By torch's exporter of programs."""
    shapes = ({0: torch.export.Dim("batch")},)
    images = torch.zeros(2, 3, size, size)
    program = torch.onnx.export(network, (images,), dynamo=True, dynamic_shapes=shapes, verbose=False)
    assert program is not None
    return serialised(program.model_proto)


def as_tf2onnx(network: Small, size: int = SIZE) -> bytes:
    """As tf2onnx writes a Keras network: images NHWC, turned for the convolutions; axes squeezed, MatMul, Add."""
    weights = {
        name: numpy_helper.from_array(tensor.numpy(), name)
        for name, tensor in network.state_dict().items()
        if tensor.is_floating_point()
    }
    weights["kernel"] = numpy_helper.from_array(np.ascontiguousarray(network.fc.weight.detach().numpy().T), "kernel")
    nodes = [
        helper.make_node("Transpose", ["images"], ["nchw"], perm=[0, 3, 1, 2]),
        *_convolved("nchw", "stem", 2),
        *_convolved("stem", "block", 1),
        helper.make_node("Add", ["stem", "block"], ["sum"]),
        helper.make_node("Conv", ["sum", "last.0.weight", "last.0.bias"], ["raw"], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["raw"], ["last"]),
        helper.make_node("GlobalAveragePool", ["last"], ["pooled"]),
        helper.make_node("Squeeze", ["pooled"], ["flat"], axes=[2, 3]),
        helper.make_node("MatMul", ["flat", "kernel"], ["product"]),
        helper.make_node("Add", ["product", "fc.bias"], ["dense"]),
        helper.make_node("Softmax", ["dense"], ["probabilities"]),
    ]
    return serialised(graph(nodes, list(weights.values()), [None, size, size, 3], opset=12))


def _convolved(taken: str, name: str, stride: int) -> list[Any]:
    convolved = ["%s.0.weight" % name, "%s.0.bias" % name]  # noqa: UP031
    normed = [f"{name}.1.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    return [
        helper.make_node("Conv", [taken, *convolved], [f"{name}.c"], pads=[1] * 4, strides=[stride] * 2),
        helper.make_node("BatchNormalization", [f"{name}.c", *normed], [f"{name}.n"]),
        helper.make_node("Relu", [f"{name}.n"], [name]),
    ]


def graph(nodes: Sequence[Any], weights: Sequence[TensorProto], shape: Sequence[Any], *, opset: int = 17) -> ModelProto:
    """A model that takes ``images`` and puts out what its last node makes."""
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)
    given = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    made = helper.make_graph(list(nodes), "test", [taken], [given], list(weights))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def probed(data: bytes, *, size: InputSize = SIZE, layer: str | None = None, output: Output = CLASSES) -> ProbedGraph:
    return ProbedGraph.of(io.BytesIO(data), size, layer, output)
