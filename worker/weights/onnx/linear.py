"""The linear layers of graphs, as one matrix."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto

from worker.weights.onnx.values import NO_PADDING, Values, attributes

Matrix = NDArray[np.float32]


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
    is_plain = said.get("group", 1) == 1 and said.get("pads", NO_PADDING) == NO_PADDING
    if found is None or found.dtype != np.float32 or found.shape[2:] != (1, 1) or not is_plain:
        return None
    return np.ascontiguousarray(found[:, :, 0, 0], np.float32)


LINEAR: dict[str, Callable[[Values, NodeProto], Matrix | None]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Conv": _convolution,
}
"""By operator: weights (O, K), None where the node is no linear layer of float32 weights."""
