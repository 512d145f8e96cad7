"""How a graph ends, read backwards: a final softmax or sigmoid, one linear layer, a pooling, the feature map before it.

Each step is one that the gradient passes as through a linear map, so that it can be written down without autograd.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto

from app.domain.refusals import GRAPH_OUTPUT, GRAPH_WITHOUT_MAPS
from app.domain.vocabulary import Layout
from app.errors import InputFailure
from worker.weights.onnx.cut import cut_of
from worker.weights.onnx.values import Values, attributes

_FINAL = frozenset({"Softmax", "LogSoftmax", "Sigmoid"})
_SAME_NUMBERS = frozenset({"Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""They leave the numbers of an image, and their order, as they are."""
_SPATIAL: dict[tuple[int, ...], Layout] = {(2, 3): Layout.NCHW, (1, 2): Layout.NHWC}
_AXES = 4
_NO_PADDING = [0] * 4

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Tail:
    """``outputs`` is the tensor before the ``final_activation``; ``features`` the one that enters the pooling, or, of
    another head, the last feature map through which alone the outputs depend on the images (not ``is_linear``).

    ``weights`` (O, K), None where the pooled channels are the outputs. ``steps`` are the operators between, ``kernel``
    the cells (down, right) over which is pooled, None where it is all of them.
    """

    outputs: str
    features: str
    layout: Layout
    weights: Matrix | None
    final_activation: str | None
    steps: tuple[str, ...]
    kernel: tuple[int, int] | None
    is_linear: bool = True


def tail_of(model: ModelProto) -> Tail:
    """Raises InputFailure ``onnx-not-supported`` where the graph ends in another way, and has no one feature map."""
    try:
        return _Walk(model).tail()
    except InputFailure:
        found = _Walk(model).other_head()
        if found is None:
            raise
        return found


class _Walk:
    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._values = Values(model)
        self._outputs = [each.name for each in model.graph.output]
        self._steps: list[str] = []

    def other_head(self) -> Tail | None:
        outputs, activation = self._final()
        cut = cut_of(self._model, outputs)
        if cut is None:
            return None
        steps = tuple(node.op_type for node in cut.behind if node.op_type != "Constant")
        return Tail(outputs, cut.features, cut.layout, None, activation, steps, None, is_linear=False)

    def tail(self) -> Tail:
        outputs, activation = self._final()
        self._steps.clear()
        pooled, weights = self._linear(self._past(outputs))
        node, layout = self._pooling(self._past(pooled))
        steps = tuple(reversed(self._steps))
        return Tail(outputs, node.input[0], layout, weights, activation, steps, _kernel(node))

    def _final(self) -> tuple[str, str | None]:
        """The outputs before a softmax or sigmoid, and that."""
        if len(self._outputs) != 1:
            names = ", ".join(self._outputs[:5])
            raise GRAPH_OUTPUT.failure(count=len(self._outputs), names=names)
        final = self._values.maker(self._past(self._outputs[0]))
        if final is None or not _is_final(final):
            return self._outputs[0], None
        return final.input[0], final.op_type

    def _past(self, name: str) -> str:
        """The tensor whose numbers these are."""
        node = self._values.maker(name)
        while node is not None and _keeps_numbers(node):
            self._steps.append(node.op_type)
            name = str(node.input[0])
            node = self._values.maker(name)
        return name

    def _linear(self, name: str) -> tuple[str, Matrix | None]:
        """What a linear layer takes, and its weights (O, K); the tensor itself where there is none."""
        node = self._values.maker(name)
        if node is not None and node.op_type == "Add":
            name = self._without_bias(node)
            self._steps.append(node.op_type)
            node = self._values.maker(self._past(name))
        read = None if node is None else _LINEAR.get(node.op_type)
        if node is None or read is None:
            return name, None
        weights = read(self._values, node)
        if weights is None:
            raise self._other(node)
        self._steps.append(node.op_type)
        return node.input[0], weights

    def _without_bias(self, node: NodeProto) -> str:
        others = [name for name in node.input if self._values.constant(name) is None]
        if len(others) != 1:
            raise self._other(node)
        return str(others[0])

    def _pooling(self, name: str) -> tuple[NodeProto, Layout]:
        node = self._values.maker(name)
        layout = None if node is None else _pooled_layout(self._values, node)
        if node is None or layout is None:
            raise self._other(node)
        self._steps.append(node.op_type)
        return node, layout

    def _other(self, node: NodeProto | None) -> InputFailure:
        found = "its input" if node is None else f"the operator {node.op_type}"
        return GRAPH_WITHOUT_MAPS.failure(found=f"this one has {found} there")


def _keeps_numbers(node: NodeProto) -> bool:
    """Keras casts what is float32 to float32."""
    return node.op_type in _SAME_NUMBERS or (node.op_type == "Cast" and attributes(node)["to"] == TensorProto.FLOAT)


def _is_final(node: NodeProto) -> bool:
    """A softmax over the classes, or a sigmoid."""
    return node.op_type in _FINAL and attributes(node).get("axis", 1) in {1, -1}


def _gemm(values: Values, node: NodeProto) -> Matrix | None:
    said = attributes(node)
    if said.get("transA", 0):
        return None
    alpha = said.get("alpha", 1.0)
    return _matrix(values, node, transposed=bool(said.get("transB", 0)), factor=float(str(alpha)))


def _matmul(values: Values, node: NodeProto) -> Matrix | None:
    return _matrix(values, node, transposed=False)


def _matrix(values: Values, node: NodeProto, *, transposed: bool, factor: float = 1.0) -> Matrix | None:
    found = values.constant(node.input[1])
    if found is None or found.ndim != 2 or found.dtype != np.float32:
        return None
    rows: Matrix = (found if transposed else found.T).astype(np.float32)
    return np.ascontiguousarray(rows * np.float32(factor))


def _convolution(values: Values, node: NodeProto) -> Matrix | None:
    """Of one cell: a linear layer by another name."""
    found, said = values.constant(node.input[1]), attributes(node)
    is_plain = said.get("group", 1) == 1 and said.get("pads", _NO_PADDING) == _NO_PADDING
    if found is None or found.dtype != np.float32 or found.shape[2:] != (1, 1) or not is_plain:
        return None
    return np.ascontiguousarray(found[:, :, 0, 0], np.float32)


_LINEAR: dict[str, Callable[[Values, NodeProto], Matrix | None]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Conv": _convolution,
}


def _kernel(node: NodeProto) -> tuple[int, int] | None:
    sides = attributes(node).get("kernel_shape") if node.op_type == "AveragePool" else None
    return (sides[0], sides[1]) if isinstance(sides, list) and len(sides) == 2 else None


def _pooled_layout(values: Values, node: NodeProto) -> Layout | None:
    """How the map lies that the node takes the mean of, over all of its cells."""
    if node.op_type == "GlobalAveragePool":
        return Layout.NCHW
    if node.op_type == "ReduceMean":
        said = attributes(node).get("axes")
        axes = values.constant(node.input[1]) if said is None and len(node.input) > 1 else said
        if axes is None:
            return None
        wanted = tuple(sorted(int(axis) % _AXES for axis in np.atleast_1d(np.asarray(axes)).tolist()))
        return _SPATIAL.get(wanted)
    if node.op_type == "AveragePool":
        said_more = {"pads", "auto_pad", "dilations", "ceil_mode"} & {
            name for name, value in attributes(node).items() if value not in (0, _NO_PADDING, [1, 1], b"NOTSET")
        }
        return None if said_more or _kernel(node) is None else Layout.NCHW
    return None
