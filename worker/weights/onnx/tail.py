"""How a graph ends, read backwards: a final softmax or sigmoid, one linear layer, a pooling, the feature map before it.

Each step is one that the gradient passes as through a linear map, so that it can be written down without autograd.
"""

from dataclasses import dataclass
from enum import StrEnum

from onnx import ModelProto, NodeProto, TensorProto

from app.domain.refusals.graphs import GRAPH_OUTPUT
from app.domain.vocabulary import Layout
from worker.salience.layouts import Arrangement
from worker.weights.onnx.cut import Cut, last_attended, last_map
from worker.weights.onnx.grids import Grids
from worker.weights.onnx.head import Head, head_of
from worker.weights.onnx.linear import LINEAR, Matrix
from worker.weights.onnx.pooling import axes_of_mean, kernel_of, pooled_layout
from worker.weights.onnx.values import Values, attributes

_FINAL = frozenset({"Softmax", "LogSoftmax", "Sigmoid"})
_SAME_NUMBERS = frozenset({"Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze"})
"""They leave the numbers of an image, and their order, as they are."""


class Way(StrEnum):
    """How a graph's salience is computed, the most exact first."""

    CLOSED_FORM = "closed form"
    HEAD_ALONE = "head alone"
    MASKED_IMAGES = "masked images"


@dataclass(frozen=True)
class Pooled:
    """A mean over all cells of ``features`` and one linear layer, ``weights`` (O, K); None where the pooled channels
    are the outputs. ``kernel`` are the cells (down, right) over which is pooled, None where it is all of them.
    """

    features: str
    layout: Layout
    arrangement: Arrangement | None
    """Of tokens: how they lie; else the features' own sides say it."""
    weights: Matrix | None
    kernel: tuple[int, int] | None
    steps: str


@dataclass(frozen=True)
class Tail:
    """``outputs`` is the tensor before the ``final_activation``.

    ``end`` is how it is made of a feature map: by a pooling and a linear layer; by a ``head`` that is run alone on what
    was cut off; None: of no one feature map. ``why`` says why it is not by the ways before.
    """

    outputs: str
    final_activation: str | None
    end: Pooled | Cut | None
    head: Head | None
    why: str

    @property
    def way(self) -> Way:
        if isinstance(self.end, Pooled):
            return Way.CLOSED_FORM
        return Way.MASKED_IMAGES if self.end is None else Way.HEAD_ALONE


def tail_of(model: ModelProto) -> Tail:
    """Raises InputFailure ``onnx-not-supported`` where there is more than one output."""
    values = Values(model)
    grids = Grids(model, values)
    walk = _Walk(model, values, grids)
    outputs, activation = walk.final()
    try:
        pooled = walk.pooled(outputs)
    except _OtherEndError as other:
        why = str(other)
    else:
        return Tail(outputs, activation, pooled, head_of(model, values, pooled.features, outputs), "")
    for find in (last_map, last_attended):
        cut = find(model, values, grids, outputs)
        head = None if cut is None else head_of(model, values, cut.features, outputs)
        if head is not None:
            return Tail(outputs, activation, cut, head, why)
    return Tail(outputs, activation, None, None, why)


class _OtherEndError(Exception):
    """No pooling and linear layer, but what the message says."""


class _Walk:
    def __init__(self, model: ModelProto, values: Values, grids: Grids) -> None:
        self._values = values
        self._grids = grids
        self._outputs = [each.name for each in model.graph.output]
        self._steps: list[str] = []

    def pooled(self, outputs: str) -> Pooled:
        self._steps.clear()
        pooled, weights = self._linear(self._past(outputs))
        node = self._values.maker(self._past(pooled))
        found = None if node is None else self._pooling(node)
        if node is None or found is None:
            raise _other(node)
        self._steps.append(node.op_type)
        return Pooled(*found, weights, kernel_of(node), " -> ".join(reversed(self._steps)))

    def final(self) -> tuple[str, str | None]:
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
        read = None if node is None else LINEAR.get(node.op_type)
        if node is None or read is None:
            return name, None
        weights = read(self._values, node)
        if weights is None:
            raise _other(node)
        self._steps.append(node.op_type)
        return node.input[0], weights

    def _without_bias(self, node: NodeProto) -> str:
        others = [name for name in node.input if self._values.constant(name) is None]
        if len(others) != 1:
            raise _other(node)
        return str(others[0])

    def _pooling(self, node: NodeProto) -> tuple[str, Layout, Arrangement | None] | None:
        """The map that the node takes the mean of, over all of its cells, and how it lies."""
        taken = node.input[0]
        shape = self._values.shape(taken) or ()
        if len(shape) == 3:
            cells, placed = self._grids.cells(taken), self._grids.of(taken)
            is_mean = placed is not None and axes_of_mean(self._values, node) == (placed.cell_axis,)
            if cells is None or not is_mean or cells[1].prefix_tokens:
                return None
            return cells[0], Layout.TOKENS, cells[1]
        layout = pooled_layout(self._values, node)
        return None if layout is None else (taken, layout, None)


def _other(node: NodeProto | None) -> _OtherEndError:
    found = "its input" if node is None else f"the operator {node.op_type}"
    return _OtherEndError(f"it has {found} there")


def _keeps_numbers(node: NodeProto) -> bool:
    """Keras casts what is float32 to float32."""
    return node.op_type in _SAME_NUMBERS or (node.op_type == "Cast" and attributes(node)["to"] == TensorProto.FLOAT)


def _is_final(node: NodeProto) -> bool:
    """A softmax over the classes, or a sigmoid."""
    return node.op_type in _FINAL and attributes(node).get("axis", 1) in {1, -1}
