"""Where a graph can be cut in two: at a feature map whose cells the head behind it can be shown one by one."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from onnx import ModelProto, NodeProto

from app.domain.vocabulary import Layout
from worker.salience.layouts import Arrangement
from worker.weights.onnx.grids import Grids
from worker.weights.onnx.values import Shape, Values

_MOST = 200
"""Places that are looked at, from the end."""
_NEAR = 4
"""Steps between a softmax and the product that takes it."""
_MOVES = frozenset(
    {"Reshape", "Transpose", "Split", "Slice", "Gather", "Squeeze", "Unsqueeze", "Identity", "Cast", "Dropout"}
    | {"Add", "Mul", "Div", "Expand", "Flatten"}
)
"""Between what a linear layer makes and the values of an attention; what they take beside it is of the file."""
_LINEAR = frozenset({"MatMul", "Gemm"})


class Cut(NamedTuple):
    """``behind`` says what stands behind ``features``."""

    features: str
    arrangement: Arrangement
    behind: str


def last_map(model: ModelProto, values: Values, grids: Grids, outputs: str) -> Cut | None:
    """The last feature map of more than one cell through which alone the outputs depend on the images, where all that
    takes it leaves it no cells: tokens go on, and are none.
    """
    for name, behind in islice(_bottlenecks(model, values, outputs), _MOST):
        shape, placed = values.shapes.get(name, ()), grids.of(name)
        if placed is not None and len(shape) == 4 and _cells(shape, placed.arrangement.layout) not in {None, 1}:
            layout = placed.arrangement.layout
            taking = [values.shapes.get(node.output[0], ()) for node in behind if name in node.input]
            steps = " -> ".join(node.op_type for node in behind)
            return Cut(name, placed.arrangement, steps) if all(_cells(each, layout) == 1 for each in taking) else None
    return None


def last_attended(model: ModelProto, values: Values, grids: Grids, outputs: str) -> Cut | None:
    """What the values of the last attention are made of: tokens, of which no cell reaches a class token later on."""
    needed = {outputs}
    for node in reversed(model.graph.node):
        if needed.isdisjoint(node.output):
            continue
        needed |= set(node.input)
        value = _value(values, node)
        if value is not None:
            found = _made_of(values, grids, value)
            return found and Cut(*found, "the last attention")
    return None


def _value(values: Values, node: NodeProto) -> str | None:
    """What an attention takes the weighted mean of."""
    if node.op_type == "Attention":
        return str(node.input[2])
    if node.op_type != "MatMul" or not set(node.input) <= values.depending:
        return None
    near = [node.input[0]]
    for _ in range(_NEAR):
        makers = [maker for name in near if (maker := values.maker(name)) is not None]
        if any(maker.op_type == "Softmax" for maker in makers):
            return str(node.input[1])
        near = [name for maker in makers for name in maker.input if name in values.depending]
    return None


def _made_of(values: Values, grids: Grids, name: str) -> tuple[str, Arrangement] | None:
    """Back from an attention's values over their linear layer, to the tensor on a grid that it takes."""
    is_before = False
    for _ in range(_MOST):
        if is_before and (found := grids.cells(name)) is not None:
            return found
        node = values.maker(name)
        taken = [] if node is None else [each for each in node.input if each in values.depending]
        if node is None or len(taken) != 1 or node.op_type not in _MOVES | _LINEAR:
            return None
        is_before = is_before or node.op_type in _LINEAR
        name = taken[0]
    return None


def _cells(shape: Shape, layout: Layout) -> int | None:
    """Of a feature map, one of what has no sides any more; None where that is not told."""
    if len(shape) == 2:
        return 1
    height, width = (shape[2:] if layout is Layout.NCHW else shape[1:3]) if len(shape) == 4 else (None, None)
    return None if height is None or width is None else height * width


def _bottlenecks(model: ModelProto, values: Values, outputs: str) -> Iterator[tuple[str, list[NodeProto]]]:
    """From the last to the first, each with the nodes behind it."""
    needed, behind = {outputs}, list[NodeProto]()
    for node in reversed(model.graph.node):
        if needed.isdisjoint(node.output):
            continue
        needed = (needed - set(node.output)) | (values.depending & set(node.input))
        behind.append(node)
        if len(needed) == 1:
            yield next(iter(needed)), behind[::-1]
