"""A graph's names: which node made a tensor, which numbers stand in the file, which shapes follow from them."""

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from app.domain.refusals.graphs import GRAPH_UNSAFE
from worker.weights.onnx.sizes import SIZES, Lengths, lengths_of

_LONG = 4096
_BATCHES = (2, 3)
MAX_NUMBERS = 2**27
"""Numbers of a tensor that is no shape, so that shapes can be told without it."""
Numbers = NDArray[np.generic]
Shape = tuple[int | None, ...]
"""None for an axis that is not told."""
NO_PADDING = [0] * 4
"""As the attribute of a convolution or a pooling over two axes says it."""


class Values:
    """Of a judged graph."""

    def __init__(self, model: ModelProto) -> None:
        self._model = model
        self._initializers = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output if name}

    def maker(self, name: str) -> NodeProto | None:
        return self._makers.get(name)

    @cached_property
    def depending(self) -> frozenset[str]:
        """Tensors whose numbers depend on the images' numbers, not on their count and sides alone."""
        found = {each.name for each in self.inputs()}
        for node in self._model.graph.node:
            if node.op_type not in SIZES and not found.isdisjoint(node.input):
                found |= set(filter(None, node.output))
        return frozenset(found)

    def shape(self, name: str) -> Shape | None:
        """Of any tensor, weights among them; None where it is not told."""
        tensor = self._initializers.get(name)
        return self.shapes.get(name) if tensor is None else tuple(tensor.dims)

    def inputs(self) -> list[ValueInfoProto]:
        """Those that a caller gives: old files list their weights among the inputs."""
        return [each for each in self._model.graph.input if each.name not in self._initializers]

    def constant(self, name: str) -> Numbers | None:
        """What stands in the file under the name, through nodes that do nothing to it."""
        node = self._makers.get(name)
        while node is not None and node.op_type == "Identity":
            name = node.input[0]
            node = self._makers.get(name)
        if name in self._initializers:
            return numpy_helper.to_array(self._initializers[name])
        value = attributes(node).get("value") if node is not None and node.op_type == "Constant" else None
        return numpy_helper.to_array(value) if isinstance(value, TensorProto) else None

    @cached_property
    def shapes(self) -> Mapping[str, Shape]:
        """Of the tensors whose number of axes follows from the inputs' shapes.

        Raises InputFailure ``model-unsafe`` for one that no network has.
        """
        first, second = self._lengths
        found: dict[str, Shape] = {
            name: tuple(length if length == other else None for length, other in zip(shape, second[name], strict=True))
            for name, shape in first.items()
            if len(shape) == len(second.get(name, ()))
        }
        for name, shape in found.items():
            if math.prod(length or 1 for length in shape) > MAX_NUMBERS:
                raise GRAPH_UNSAFE.failure(what=f"its tensor {name!r} would be of shape {list(shape)}")
        return found

    @cached_property
    def _lengths(self) -> tuple[Lengths, Lengths]:
        """For batches of two lengths: what differs depends on the batch, and is it where it is as long."""
        skeleton = self.skeleton()
        first, second = (lengths_of(skeleton, batch) for batch in _BATCHES)
        return first, second

    def is_batch(self, name: str, axis: int) -> bool:
        """Whether an axis is as long as a free batch."""
        return tuple(lengths[name][axis] for lengths in self._lengths) == _BATCHES

    def skeleton(self) -> ModelProto:
        """Without what is long: weights are inputs there, so that nothing but the structure is copied."""
        graph = self._model.graph
        long = [tensor for tensor in graph.initializer if np.prod(tensor.dims, dtype=np.float64) > _LONG]
        names = {tensor.name for tensor in long}
        inputs = [helper.make_tensor_value_info(each.name, each.data_type, list(each.dims)) for each in long]
        short = [tensor for tensor in graph.initializer if tensor.name not in names]
        # What an output is said to be counts for nothing; the checker wants to hear that it is something.
        outputs = [helper.make_tensor_value_info(each.name, TensorProto.FLOAT, [None, None]) for each in graph.output]
        made = helper.make_graph(list(graph.node), "shapes", [*self.inputs(), *inputs], outputs, short)
        return helper.make_model(made, opset_imports=self._model.opset_import, ir_version=self._model.ir_version)


def attributes(node: NodeProto) -> dict[str, object]:
    """By name."""
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def integers(value: object) -> list[int]:
    """An attribute that lists axes or places."""
    return [int(each) for each in value] if isinstance(value, list | tuple) else []


def shape_of(value: ValueInfoProto) -> Shape:
    dims = value.type.tensor_type.shape.dim
    return tuple(int(each.dim_value) if each.HasField("dim_value") else None for each in dims)
