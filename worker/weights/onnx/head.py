"""A graph from one of its tensors on, as a graph of its own: with the rest of what it takes, and sizes of its batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from worker.weights.onnx.sizes import SIZES
from worker.weights.onnx.values import Shape, Values, attributes

_BATCH, _WHOLE, _FIRST = "batch of the head", "shape of the head", "place of the batch"


@dataclass(frozen=True)
class Head:
    """``sides`` are tensors of the images, one row each, that it takes beside the feature map."""

    model: ModelProto
    sides: tuple[str, ...]


def head_of(model: ModelProto, values: Values, features: str, outputs: str) -> Head | None:
    """None where a size is asked for that is not told by the batch, or an operand is no row of an image."""
    parts = _Parts(model, values, features)
    if not parts.collect(outputs):
        return None
    taken = [
        helper.make_tensor_value_info(each, TensorProto.FLOAT, parts.axes(each)) for each in (features, *parts.sides)
    ]
    given = helper.make_empty_tensor_value_info(outputs)
    weights = [tensor for tensor in model.graph.initializer if tensor.name in parts.weights]
    nodes = [*parts.sizes(), *(node for node in model.graph.node if node.output[0] in parts.nodes)]
    made = helper.make_graph(nodes, "head", taken, [given], [*weights, *parts.places])
    whole = helper.make_model(made, opset_imports=model.opset_import, ir_version=model.ir_version)
    return Head(whole, tuple(parts.sides))


@dataclass
class _Parts:
    """What the outputs need, back to the feature map."""

    model: ModelProto
    values: Values
    features: str
    nodes: set[str] = field(default_factory=set)
    weights: set[str] = field(default_factory=set)
    sides: list[str] = field(default_factory=list)
    asked: dict[str, Shape] = field(default_factory=dict)
    """By output of a node that tells a shape of before the feature map: what it tells."""
    places: list[TensorProto] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._behind = {self.features}
        for node in self.model.graph.node:
            if node.op_type not in SIZES and not self._behind.isdisjoint(node.input):
                self._behind |= set(node.output)

    def collect(self, outputs: str) -> bool:
        """Whether all of it can be had."""
        wanted, seen = [outputs], {self.features, ""}
        while wanted:
            name = wanted.pop()
            if name in seen:
                continue
            seen.add(name)
            more = self._needs(name)
            if more is None:
                return False
            wanted += more
        return True

    def _needs(self, name: str) -> list[str] | None:
        """What is needed to have a tensor; None where it cannot be had."""
        node = self.values.maker(name)
        if name in self.values.depending and name not in self._behind:
            self.sides.append(name)
            return [] if self._is_of_images(name) else None
        if node is None:
            self.weights.add(name)
            return []
        if node.op_type in SIZES and node.input[0] not in self._behind:
            return [] if self._ask(node) else None
        self.nodes.add(node.output[0])
        return list(node.input)

    def _ask(self, node: NodeProto) -> bool:
        shape, said = self.values.shape(node.input[0]), attributes(node)
        if node.op_type == "Size" or shape is None:
            return False
        if not all(
            length is not None or self.values.is_batch(node.input[0], axis) for axis, length in enumerate(shape)
        ):
            return False
        first, last = int(str(said.get("start", 0))), said.get("end")
        self.asked[node.output[0]] = shape[first : len(shape) if last is None else int(str(last))]
        return True

    def _is_of_images(self, name: str) -> bool:
        """Whether its rows are those of the images, in whatever number."""
        shape = self.values.shape(name) or ()
        batches = [(self.values.shape(each.name) or (None,))[:1] for each in self.values.inputs()]
        return [shape[:1]] == batches and None not in shape[1:]

    def axes(self, name: str) -> list[None]:
        return [None] * len(self.values.shape(name) or ())

    def sizes(self) -> Iterator[NodeProto]:
        """Nodes that tell shapes of before the feature map, by the batch that the head has."""
        if not self.asked:
            return
        self.places.append(numpy_helper.from_array(np.zeros(1, np.int64), _FIRST))
        yield helper.make_node("Shape", [self.features], [_WHOLE])
        yield helper.make_node("Gather", [_WHOLE, _FIRST], [_BATCH])
        for output, shape in self.asked.items():
            parts = []
            for axis, length in enumerate(shape):
                name = f"{output} of axis {axis}"
                if length is not None:
                    self.places.append(numpy_helper.from_array(np.array([length], np.int64), name))
                parts.append(_BATCH if length is None else name)
            yield helper.make_node("Concat", parts, [output], axis=0)
