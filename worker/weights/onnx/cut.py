"""Where a graph can be cut in two: at the last feature map through which alone its outputs depend on the images."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from onnx import ModelProto, NodeProto, TensorProto, helper

from app.domain.vocabulary import Layout
from worker.weights.onnx.values import Shape, Values, attributes

_SPATIAL = frozenset({"Conv", "MaxPool", "AveragePool", "BatchNormalization", "LRN"})
"""They take and give (N, C, H, W)."""
_CELL_BY_CELL = frozenset(
    {
        "Relu",
        "LeakyRelu",
        "PRelu",
        "Elu",
        "Gelu",
        "Sigmoid",
        "HardSigmoid",
        "HardSwish",
        "Swish",
        "Mish",
        "Tanh",
        "Clip",
    }
    | {"Erf", "Add", "Sub", "Mul", "Div", "Cast", "Identity", "Dropout", "LayerNormalization"}
)
_TURNS: dict[tuple[int, ...], tuple[Layout, Layout]] = {
    (0, 2, 3, 1): (Layout.NCHW, Layout.NHWC),
    (0, 3, 1, 2): (Layout.NHWC, Layout.NCHW),
}
_CHANNELS_LAST = ()
"""In place of an order of axes: a product with the last one, which has to be the channels."""
_REVERSED = (3, 2, 1, 0)
_MOST = 200
"""Places that are looked at, from the end."""


class Cut(NamedTuple):
    """``behind`` are the nodes from ``features`` on, in their order."""

    features: str
    layout: Layout
    behind: list[NodeProto]


def cut_of(model: ModelProto, outputs: str) -> Cut | None:
    """The last of more than one cell, where all that takes it leaves it no cells: tokens go on, and are none."""
    values = Values(model)
    for name, behind in islice(_bottlenecks(model, outputs), _MOST):
        shape = values.shapes.get(name, ())
        layout = _layout(values, name) if len(shape) == 4 else None
        if layout is not None and _cells(shape, layout) not in {None, 1}:
            taking = [values.shapes.get(node.output[0], ()) for node in behind if name in node.input]
            return Cut(name, layout, behind) if all(_cells(each, layout) == 1 for each in taking) else None
    return None


def _cells(shape: Shape, layout: Layout) -> int | None:
    """Of a feature map, one of what has no sides any more; None where that is not told."""
    if len(shape) == 2:
        return 1
    height, width = (shape[2:] if layout is Layout.NCHW else shape[1:3]) if len(shape) == 4 else (None, None)
    return None if height is None or width is None else height * width


def head(model: ModelProto, features: str, outputs: str) -> ModelProto:
    """The graph from the feature map to the outputs."""
    behind = next(nodes for name, nodes in _bottlenecks(model, outputs) if name == features)
    used = {name for node in behind for name in node.input}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in used]
    taken = helper.make_tensor_value_info(features, TensorProto.FLOAT, [None] * 4)
    given = helper.make_empty_tensor_value_info(outputs)
    made = helper.make_graph(behind, "head", [taken], [given], weights)
    return helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)


def _bottlenecks(model: ModelProto, outputs: str) -> Iterator[tuple[str, list[NodeProto]]]:
    """From the last to the first, each with the nodes behind it."""
    depending = _depending(model)
    needed, behind = {outputs}, []
    constant = [node for node in model.graph.node if not depending.intersection(node.output)]
    for node in reversed(model.graph.node):
        if needed.isdisjoint(node.output):
            continue
        needed = (needed - set(node.output)) | (depending & set(node.input))
        behind.append(node)
        if len(needed) == 1:
            yield next(iter(needed)), [*constant, *reversed(behind)]


def _depending(model: ModelProto) -> set[str]:
    """What depends on the images."""
    found = {each.name for each in Values(model).inputs()}
    for node in model.graph.node:
        if not found.isdisjoint(node.input):
            found |= set(filter(None, node.output))
    return found


def _is_plain(values: Values, node: NodeProto) -> bool:
    """Whether every cell is multiplied by one matrix of the file."""
    weights = values.constant(node.input[1])
    return weights is not None and weights.ndim == 2


def _layout(values: Values, name: str) -> Layout | None:
    """As the operator has it that laid the cells out, through those that leave them in their places."""
    turned = []
    node = values.maker(name)
    while node is not None and node.op_type not in _SPATIAL:
        if node.op_type == "Transpose":
            perm = attributes(node).get("perm", _REVERSED)
            turned.append(tuple(int(axis) for axis in perm))  # type: ignore[attr-defined]
        elif node.op_type == "MatMul" and _is_plain(values, node):
            turned.append(_CHANNELS_LAST)
        elif node.op_type not in _CELL_BY_CELL:
            return None
        maps = (each for each in node.input if len(values.shapes.get(each, ())) == 4)
        node = next(filter(None, map(values.maker, maps)), None)
    layout: Layout | None = None if node is None else Layout.NCHW
    for perm in reversed(turned):
        if perm == _CHANNELS_LAST and layout is Layout.NHWC:
            continue
        taken, given = _TURNS.get(perm, (None, None))
        layout = given if taken is layout else None
    return layout
