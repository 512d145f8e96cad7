"""Shapes of a graph's tensors for a batch of one length, with what the graph computes of shapes worked out.

Exporters write a reshape as arithmetic on the shape of what is reshaped. Inference knows a part of it; the rest is
computed here as soon as the shapes that it begins with are known, and inference is asked again.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

SIZES = frozenset({"Shape", "Size"})
_ARITHMETIC = frozenset(
    {"Constant", "Gather", "Unsqueeze", "Squeeze", "Concat", "Slice", "Cast", "Identity", "Reshape", "Flatten"}
    | {"Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Floor", "Ceil", "Equal", "Where", "ConstantOfShape"}
)
_LONGEST = 64
"""Numbers of a tensor that is a shape, or on the way to one."""
_ROUNDS = 64
_MOST = 2**31
_ITS_ERRORS = (ValueError, TypeError, IndexError, KeyError, RuntimeError, AttributeError, ArithmeticError)

Numbers = NDArray[np.generic]
Lengths = Mapping[str, tuple[int | None, ...]]


def lengths_of(skeleton: ModelProto, batch: int | None) -> Lengths:
    """By tensor, as far as they are told; ``batch`` stands in for a free one of the inputs."""
    model = ModelProto()
    model.CopyFrom(skeleton)
    for taken in model.graph.input:
        dims = taken.type.tensor_type.shape.dim
        if batch is not None and dims and not dims[0].HasField("dim_value"):
            dims[0].dim_value = batch
    found: Lengths = {}
    for _ in range(_ROUNDS):
        found = _inferred(model)
        if not _work_out(model, found):
            break
    return found


def _inferred(model: ModelProto) -> Lengths:
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    listed = (*graph.input, *graph.value_info, *graph.output)
    told = (each for each in listed if each.type.tensor_type.HasField("shape"))
    found: dict[str, tuple[int | None, ...]] = {}
    for each in told:
        dims = each.type.tensor_type.shape.dim
        found[each.name] = tuple(int(dim.dim_value) if dim.HasField("dim_value") else None for dim in dims)
    return found


def _work_out(model: ModelProto, lengths: Lengths) -> bool:
    """Put numbers in the place of nodes whose result is known now; whether there were any."""
    known: dict[str, Numbers] = {
        each.name: numpy_helper.to_array(each)
        for each in model.graph.initializer
        if np.prod(each.dims, dtype=np.float64) <= _LONGEST
    }
    left, made = [], list[TensorProto]()
    for node in model.graph.node:
        result = _result(node, known, lengths, model)
        if result is None:
            left.append(node)
            continue
        known[node.output[0]] = result
        made.append(numpy_helper.from_array(np.asarray(result), node.output[0]))
    if made:
        del model.graph.node[:]
        model.graph.node.extend(left)
        model.graph.initializer.extend(made)
    return any(node.op_type != "Constant" for node in left) and bool(made)


def _result(node: NodeProto, known: Mapping[str, Numbers], lengths: Lengths, model: ModelProto) -> Numbers | None:
    """None where it is not known, no shape, or longer than one."""
    of_shape = node.op_type in SIZES
    if len(node.output) != 1 or (node.op_type not in _ARITHMETIC and not of_shape):
        return None
    given = {name: known[name] for name in node.input if name in known}
    if of_shape:
        shape = lengths.get(node.input[0], (None,))
        known_sides = [length for length in shape if length is not None]
        if len(known_sides) < len(shape) or np.prod(known_sides, dtype=np.float64) > _MOST:
            return None
        given = {node.input[0]: np.broadcast_to(np.zeros((), np.float32), known_sides)}
    if not set(filter(None, node.input)) <= given.keys() or not _is_short(node, given):
        return None
    inputs = [helper.make_empty_tensor_value_info(name) for name in given]
    graph = helper.make_graph([node], "sizes", inputs, [helper.make_empty_tensor_value_info(node.output[0])])
    alone = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    try:
        (result,) = ReferenceEvaluator(alone).run(None, dict(given))
    except _ITS_ERRORS:
        return None
    found = np.asarray(result)
    return found if found.size <= _LONGEST and found.dtype != np.object_ else None


def _is_short(node: NodeProto, given: Mapping[str, Numbers]) -> bool:
    """Whether what it makes will not be long."""
    if node.op_type == "ConstantOfShape":
        return bool(np.prod(np.abs(given[node.input[0]].astype(np.float64))) <= _LONGEST)
    return True
