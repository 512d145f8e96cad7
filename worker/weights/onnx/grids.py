"""Where in the image the cells of a graph's tensors lie: as operators laid them out and moved them, never by a shape.

Convolutions and their kin lay rows and columns out; reshapes and transpositions move them; what stands before the cells
of a concatenation is prefix tokens; whatever is added to cells lies where they do, as attention's results do.
"""

from collections.abc import Callable
from typing import NamedTuple

from onnx import ModelProto, NodeProto

from app.domain.vocabulary import Layout
from worker.salience.layouts import Arrangement
from worker.weights.onnx.values import Shape, Values, attributes, integers

_SPATIAL = frozenset({"Conv", "ConvTranspose", "MaxPool", "AveragePool", "BatchNormalization", "LRN"})
"""They take and give (N, C, H, W)."""
_ACTIVATIONS = {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "Gelu", "Sigmoid", "HardSigmoid", "HardSwish"}
_MORE_ACTIVATIONS = {"Swish", "Mish", "Softplus", "Softsign", "Tanh", "Clip", "Erf", "Sqrt", "Exp", "Neg", "Reciprocal"}
_ARITHMETIC = {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Cast", "Identity", "Dropout"}
_NORMS = {"LayerNormalization", "RMSNormalization"}
_CELL_BY_CELL = frozenset(_ACTIVATIONS | _MORE_ACTIVATIONS | _ARITHMETIC | _NORMS)
_RESHAPES = frozenset({"Reshape", "Flatten", "Squeeze", "Unsqueeze"})
_REVERSED = (3, 2, 1, 0)


class Placed(NamedTuple):
    """``turned``: channels come before the cells of tokens, (N, C, prefix + H * W)."""

    arrangement: Arrangement
    turned: bool = False

    @property
    def axes(self) -> int:
        """Of the tensor."""
        return 3 if self.arrangement.layout is Layout.TOKENS else 4

    @property
    def cell_axis(self) -> int:
        """Of tokens."""
        return 2 if self.turned else 1


class Grids:
    """Of a judged graph whose inputs' sides are written down."""

    def __init__(self, model: ModelProto, values: Values) -> None:
        self._values = values
        self._placed: dict[str, Placed] = {}
        for node in model.graph.node:
            found = self._made(node)
            if found is not None and len(values.shapes.get(node.output[0], ())) == found.axes:
                self._placed[node.output[0]] = found

    def of(self, name: str) -> Placed | None:
        return self._placed.get(name)

    def cells(self, name: str) -> tuple[str, Arrangement] | None:
        """The tensor, or what was turned to it, and how its cells lie; None where it is no grid of several cells."""
        placed, node = self.of(name), self._values.maker(name)
        if placed is not None and placed.turned and node is not None and node.op_type == "Transpose":
            name, placed = node.input[0], self.of(node.input[0])
        if placed is None or placed.turned or placed.arrangement.height * placed.arrangement.width < 2:
            return None
        return name, placed.arrangement

    def _made(self, node: NodeProto) -> Placed | None:
        shape = self._values.shapes.get(node.output[0], ())
        if node.op_type in _SPATIAL:
            return _laid_out(shape)
        if node.op_type in _CELL_BY_CELL:
            return self._joined(node, shape)
        rule = _RULES.get(node.op_type)
        placed = self.of(node.input[0]) if node.input else None
        if node.op_type == "Concat":
            return self._concatenated(node)
        if rule is None or placed is None:
            return None
        return rule(_Move(node, self._values, placed, shape))

    def _joined(self, node: NodeProto, shape: Shape) -> Placed | None:
        """Of the operands that are as large as the result, where all that are known agree."""
        operands = (self.of(name) for name in node.input if shape and self._values.shape(name) == shape)
        known = {placed for placed in operands if placed is not None}
        return known.pop() if len(known) == 1 else None

    def _concatenated(self, node: NodeProto) -> Placed | None:
        """Of one grid of tokens and what stands before it; or of grids that agree, along their channels."""
        axis = attributes(node)["axis"]
        parts = [self.of(name) for name in node.input]
        known = [place for place, part in enumerate(parts) if part is not None]
        if not known or (first := parts[known[0]]) is None:
            return None
        if first.arrangement.layout is Layout.NCHW:
            return first if axis == 1 and set(parts) == {first} else None
        if first.arrangement.layout is not Layout.TOKENS or axis not in {first.cell_axis, first.cell_axis - 3}:
            return None
        before = [self._values.shape(name) or () for name in node.input[: known[0]]]
        counts = [shape[first.cell_axis] if len(shape) == 3 else None for shape in before]
        is_last = known == [len(parts) - 1]
        return _with_prefix(first, sum(filter(None, counts))) if is_last and None not in counts else None


class _Move(NamedTuple):
    """A node that moves what it takes, how that lies, and the shape of what comes out."""

    node: NodeProto
    values: Values
    placed: Placed
    shape: Shape

    @property
    def taken(self) -> Shape:
        return self.values.shapes.get(self.node.input[0], ())


def _laid_out(shape: Shape) -> Placed | None:
    if len(shape) != 4 or shape[2] is None or shape[3] is None:
        return None
    return Placed(Arrangement(Layout.NCHW, shape[2], shape[3]))


def _with_prefix(placed: Placed, more: int) -> Placed:
    old = placed.arrangement
    return placed._replace(arrangement=Arrangement(old.layout, old.height, old.width, old.prefix_tokens + more))


def _reshaped(move: _Move) -> Placed | None:
    """Rows of a grid put behind each other, or apart again."""
    old, shape = move.placed.arrangement, move.shape
    if shape == move.taken:
        return move.placed
    grid, count = (old.height, old.width), old.height * old.width
    as_tokens = Arrangement(Layout.TOKENS, *grid)
    if old.layout is Layout.NCHW and len(shape) == 3 and shape[1:] == (move.taken[1], count):
        return Placed(as_tokens, turned=True)
    if old.layout is Layout.NHWC and len(shape) == 3 and shape[1:] == (count, move.taken[3]):
        return Placed(as_tokens)
    if old.layout is Layout.TOKENS and len(shape) == 4 and not old.prefix_tokens:
        channels, layout = (shape[3], Layout.NHWC) if not move.placed.turned else (shape[1], Layout.NCHW)
        sides = shape[1:3] if layout is Layout.NHWC else shape[2:]
        same = channels == move.taken[1 if move.placed.turned else 2]
        return Placed(Arrangement(layout, *grid)) if sides == grid and same else None
    return None


def _transposed(move: _Move) -> Placed | None:
    order = tuple(integers(attributes(move.node).get("perm", _REVERSED)))
    old = move.placed.arrangement
    if old.layout is Layout.TOKENS:
        return move.placed._replace(turned=not move.placed.turned) if order == (0, 2, 1) else None
    taken, given = _TURNS.get(order, (None, None))
    return Placed(Arrangement(given, old.height, old.width)) if taken is old.layout and given is not None else None


_TURNS: dict[tuple[int, ...], tuple[Layout, Layout]] = {
    (0, 2, 3, 1): (Layout.NCHW, Layout.NHWC),
    (0, 3, 1, 2): (Layout.NHWC, Layout.NCHW),
}


def _multiplied(move: _Move) -> Placed | None:
    """Every cell by one matrix of the file, where channels come last."""
    weights = move.node.input[1]
    is_plain = weights not in move.values.depending and len(move.values.shape(weights) or ()) == 2
    channels_last = not move.placed.turned and move.placed.arrangement.layout is not Layout.NCHW
    return move.placed if is_plain and channels_last else None


def _sliced(move: _Move) -> Placed | None:
    """Without the first of its prefix tokens."""
    old, axis = move.placed.arrangement, move.placed.cell_axis
    if old.layout is not Layout.TOKENS or len(move.shape) != 3:
        return None
    fewer = (move.taken[axis] or 0) - (move.shape[axis] or 0)
    starts = _slice_starts(move)
    same = all(move.taken[each] == move.shape[each] for each in {0, 1, 2} - {axis})
    return _with_prefix(move.placed, -fewer) if same and starts == [fewer] and 0 <= fewer <= old.prefix_tokens else None


def _slice_starts(move: _Move) -> list[int]:
    """Of a cut from one axis that keeps all that comes after; from opset 10 on, inputs say it."""
    said = attributes(move.node)
    if "starts" in said:
        return integers(said["starts"])
    starts = move.values.constant(move.node.input[1])
    return [] if starts is None else [int(each) for each in starts.flatten()]


_RULES: dict[str, Callable[[_Move], Placed | None]] = {
    **dict.fromkeys(_RESHAPES, _reshaped),
    "Transpose": _transposed,
    "MatMul": _multiplied,
    "Slice": _sliced,
}
