"""Means over all cells of a map, as graphs have them."""

import numpy as np
from onnx import NodeProto

from app.domain.vocabulary import Layout
from worker.weights.onnx.values import NO_PADDING, Values, attributes

_SPATIAL: dict[tuple[int, ...], Layout] = {(2, 3): Layout.NCHW, (1, 2): Layout.NHWC}
_AXES = 4


def axes_of_mean(values: Values, node: NodeProto) -> tuple[int, ...] | None:
    """Of three axes, those over which the node takes the mean."""
    if node.op_type == "GlobalAveragePool":
        return (2,)
    if node.op_type != "ReduceMean":
        return None
    return _reduced(values, node, 3)


def _reduced(values: Values, node: NodeProto, count: int) -> tuple[int, ...] | None:
    said = attributes(node).get("axes")
    axes = values.constant(node.input[1]) if said is None and len(node.input) > 1 else said
    if axes is None:
        return None
    return tuple(sorted(int(axis) % count for axis in np.atleast_1d(np.asarray(axes)).tolist()))


def kernel_of(node: NodeProto) -> tuple[int, int] | None:
    """Cells (down, right) of an average pooling; None of one that takes all there are."""
    sides = attributes(node).get("kernel_shape") if node.op_type == "AveragePool" else None
    return (sides[0], sides[1]) if isinstance(sides, list) and len(sides) == 2 else None


def pooled_layout(values: Values, node: NodeProto) -> Layout | None:
    """How the map lies that the node takes the mean of, over all of its cells."""
    if node.op_type == "GlobalAveragePool":
        return Layout.NCHW
    if node.op_type == "ReduceMean":
        return _SPATIAL.get(_reduced(values, node, _AXES) or ())
    if node.op_type == "AveragePool":
        said_more = {"pads", "auto_pad", "dilations", "ceil_mode"} & {
            name for name, value in attributes(node).items() if value not in (0, NO_PADDING, [1, 1], b"NOTSET")
        }
        return None if said_more or kernel_of(node) is None else Layout.NCHW
    return None
