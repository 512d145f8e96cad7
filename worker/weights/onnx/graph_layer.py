"""Where salience of a graph is taken, and how many pixels of the image one of its cells stands for."""

import torch
from onnx import ModelProto
from torch import Tensor

from app.domain.models.input_size import Size
from app.domain.vocabulary import Layout
from worker.salience.layouts import Arrangement
from worker.salience.traced_layers import Layer, down_sampling
from worker.weights.onnx.cut import Cut
from worker.weights.onnx.entrance import Entrance
from worker.weights.onnx.session import GraphSession, output_mismatch
from worker.weights.onnx.tail import Pooled, Tail
from worker.weights.onnx.values import Values

_SPATIAL = frozenset({"Conv", "MaxPool", "AveragePool"})


def sizes_of(model: ModelProto) -> list[tuple[int, int]]:
    """Height and width of the feature maps on the way, which are (N, C, H, W) wherever ONNX convolves or pools."""
    shapes = Values(model).shapes
    made = [shapes.get(node.output[0], ()) for node in model.graph.node if node.op_type in _SPATIAL]
    return [(shape[2] or 0, shape[3] or 0) for shape in made if len(shape) == 4]


def stride_of(sizes: list[tuple[int, int]], layer: Layer, size: Size) -> tuple[int, int]:
    """Pixels (down, right) of a cell, by the ``sizes`` of the feature maps on the way from an image of ``size``."""
    down, right = (
        down_sampling([sides[axis] for sides in sizes], cells, size[axis])
        for axis, cells in enumerate((layer.height, layer.width))
    )
    return down, right


def layer_of(entrance: Entrance, tail: Tail, whole: GraphSession) -> Layer:
    """As a pass of one image shows it."""
    if tail.end is None:
        return Layer(entrance.name, entrance.channels, *entrance.size, entrance.layout)
    features = whole.run(torch.zeros(1, *(each or 1 for each in entrance.shape[1:])))[1]
    return Layer.of(tail.end.features, features, tail.end.arrangement or _told_by(features, tail.end))


def _told_by(features: Tensor, end: Pooled | Cut) -> Arrangement:
    """Of what a pooling takes, whose layout that says: by its sides."""
    if features.dim() != 4 or not isinstance(end, Pooled):
        raise output_mismatch(f"The tensor {end.features!r} is no feature map of four axes.")
    axes = (2, 3) if end.layout is Layout.NCHW else (1, 2)
    return Arrangement(end.layout, *(features.shape[axis] for axis in axes))
