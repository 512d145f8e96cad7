"""Whether a graph is one that may be run: of known operators, without control flow, its numbers all there."""

import math

import numpy as np
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, numpy_helper

from app.domain.refusals.graphs import (
    GRAPH_DAMAGED,
    GRAPH_FUNCTIONS,
    GRAPH_OPERATOR,
    GRAPH_TENSOR,
    GRAPH_TENSOR_KIND,
    GRAPH_UNSAFE,
    GRAPH_VERSION,
)
from app.domain.refusals.weights import NONFINITE
from app.errors import InputFailure
from worker.weights.lazy import MAX_DIMENSIONS
from worker.weights.onnx.allowed import DOMAINS, NEWEST_IR, NEWEST_OPSET, OLDEST_IR, OLDEST_OPSET, OPERATORS, TYPES

MAX_NODES = 50_000
_MAX_COUNT = 2**40
_GRAPHS = frozenset({AttributeProto.GRAPH, AttributeProto.GRAPHS})
_TENSORS = frozenset({AttributeProto.TENSOR, AttributeProto.TENSORS})
_PLAIN = frozenset(
    {AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING}
    | {AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS}
)
_FIELDS: dict[int, str] = {
    TensorProto.FLOAT: "float_data",
    TensorProto.DOUBLE: "double_data",
    TensorProto.INT64: "int64_data",
    **dict.fromkeys((TensorProto.INT32, TensorProto.UINT8, TensorProto.BOOL), "int32_data"),
}
"""Where a tensor's numbers are that are not in ``raw_data``."""


def check_graph(model: ModelProto) -> None:
    """Raises InputFailure ``onnx-not-supported``, ``model-unsafe``, ``model-invalid``, ``model-nonfinite-weights``."""
    _check_kind(model)
    for node in model.graph.node:
        _check_node(node)
    names = set()
    for tensor in model.graph.initializer:
        if not tensor.name or tensor.name in names:
            raise GRAPH_DAMAGED.failure(what="two of its tensors have one name, or one has none")
        names.add(tensor.name)
        _check_numbers(tensor)


def _check_kind(model: ModelProto) -> None:
    for what in ("functions", "training_info"):
        if len(getattr(model, what)):
            raise GRAPH_FUNCTIONS.failure(what=what.replace("_", " "))
    if model.graph.sparse_initializer:
        raise GRAPH_FUNCTIONS.failure(what="sparse tensors")
    if len(model.graph.node) > MAX_NODES:
        raise GRAPH_UNSAFE.failure(what=f"it has more than {MAX_NODES} nodes")
    opset = opset_of(model)
    if not OLDEST_OPSET <= opset <= NEWEST_OPSET or not OLDEST_IR <= model.ir_version <= NEWEST_IR:
        raise GRAPH_VERSION.failure(opset=opset, oldest=OLDEST_OPSET, newest=NEWEST_OPSET)


def opset_of(model: ModelProto) -> int:
    """Of ai.onnx; 0 where the file names none, or two."""
    versions = [each.version for each in model.opset_import if each.domain in DOMAINS]
    return int(versions[0]) if len(versions) == 1 else 0


def _check_node(node: NodeProto) -> None:
    if node.domain not in DOMAINS or node.op_type not in OPERATORS:
        name = f"{node.domain}.{node.op_type}" if node.domain not in DOMAINS else node.op_type
        raise refused_operator(name)
    if is_training(node):
        raise refused_operator(f"{node.op_type} (in training mode)")
    for attribute in node.attribute:
        if attribute.type in _GRAPHS:
            raise refused_operator(f"{node.op_type} (with a graph of its own)")
        if attribute.ref_attr_name or attribute.type not in _PLAIN | _TENSORS:
            raise GRAPH_DAMAGED.failure(what=f"the attribute {attribute.name!r} is of an unknown kind")
        for tensor in (attribute.t, *attribute.tensors) if attribute.type in _TENSORS else ():
            _check_numbers(tensor, may_be_infinite=True)


def is_training(node: NodeProto) -> bool:
    """Whether it draws random numbers or norms by its batch, as in training."""
    if node.op_type == "Dropout":
        return len(node.input) > 2 and bool(node.input[2])
    return node.op_type == "BatchNormalization" and any(
        each.name == "training_mode" and each.i for each in node.attribute
    )


def refused_operator(name: str) -> InputFailure:
    return GRAPH_OPERATOR.failure(operator=name, program={"operator": name[:200]})


def byte_count(tensor: TensorProto) -> int:
    """What its shape asks for. Raises InputFailure ``onnx-not-supported`` or ``model-invalid``."""
    width = TYPES.get(tensor.data_type)
    if width is None:
        known = tensor.data_type in TensorProto.DataType.values()
        kind = TensorProto.DataType.Name(tensor.data_type).lower() if known else str(tensor.data_type)
        raise GRAPH_TENSOR_KIND.failure(name=repr(tensor.name), kind=kind)
    count: int = math.prod(tensor.dims)
    if len(tensor.dims) > MAX_DIMENSIONS or any(size < 0 for size in tensor.dims) or count > _MAX_COUNT:
        raise GRAPH_DAMAGED.failure(what=f"the shape of the tensor {tensor.name!r} is none")
    return count * width


def _check_numbers(tensor: TensorProto, *, may_be_infinite: bool = False) -> None:
    """That there are as many as its shape says, in one place; a weight is finite."""
    expected = byte_count(tensor)
    if tensor.data_location != TensorProto.DEFAULT or tensor.string_data or tensor.HasField("segment"):
        raise GRAPH_UNSAFE.failure(what=f"the numbers of the tensor {tensor.name!r} are not in it")
    listed = len(getattr(tensor, _FIELDS[tensor.data_type])) * TYPES[tensor.data_type]
    if len(tensor.raw_data) + listed != expected:
        found = len(tensor.raw_data) + listed
        raise GRAPH_TENSOR.failure(name=repr(tensor.name), found=found, expected=expected)
    is_fraction = tensor.data_type in {TensorProto.FLOAT, TensorProto.DOUBLE}
    if is_fraction and not may_be_infinite and not np.isfinite(numpy_helper.to_array(tensor)).all():
        raise NONFINITE.failure(name=repr(tensor.name))
