"""What a graph takes: one batch of images, of a fixed length or a free one, channels first or last."""

from dataclasses import dataclass

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from app.domain.models.input_size import Size
from app.domain.refusals.graphs import GRAPH_INPUT
from app.domain.vocabulary import Layout
from app.errors import InputFailure
from worker.weights.onnx.values import Values, attributes, shape_of

CHANNELS = (3, 1)
_TO_NCHW = [0, 3, 1, 2]
_FREE = "batch"


@dataclass(frozen=True)
class Entrance:
    """``batch`` None takes any number of images at once; ``size`` is theirs in pixels; ``channels`` are 1 or 3."""

    name: str
    layout: Layout
    size: Size
    batch: int | None
    channels: int = 3

    @property
    def shape(self) -> tuple[int | None, ...]:
        sides = self.size
        return (
            (self.batch, self.channels, *sides) if self.layout is Layout.NCHW else (self.batch, *sides, self.channels)
        )


def entrance_of(model: ModelProto, size: Size) -> Entrance:
    """Raises InputFailure ``onnx-not-supported`` where it does not take images of that size."""
    values = Values(model)
    inputs = values.inputs()
    if len(inputs) != 1:
        raise GRAPH_INPUT.failure(found=f"{len(inputs)} inputs", height=size.height, width=size.width)
    (taken,) = inputs
    shape = shape_of(taken)
    if taken.type.tensor_type.elem_type != TensorProto.FLOAT or len(shape) != 4:
        raise _refused(taken, size)
    layout = _layout(model, taken.name, shape)
    axis = 3 if layout is Layout.NHWC else 1
    channels = shape[axis] if shape[axis] in CHANNELS else CHANNELS[0]
    entrance = Entrance(taken.name, layout or Layout.NCHW, size, shape[0] or None, channels or CHANNELS[0])
    if layout is None or any(
        found not in {None, 0, wanted} for found, wanted in zip(shape[1:], entrance.shape[1:], strict=True)
    ):
        raise _refused(taken, size)
    return entrance


def fix_entrance(model: ModelProto, entrance: Entrance) -> None:
    """Write down what was found: the sides and, unless it is free, the batch."""
    dims = next(each for each in model.graph.input if each.name == entrance.name).type.tensor_type.shape.dim
    for dim, length in zip(dims, entrance.shape, strict=True):
        dim.Clear()
        if length is None:
            dim.dim_param = _FREE
        else:
            dim.dim_value = length


def _layout(model: ModelProto, name: str, shape: tuple[int | None, ...]) -> Layout | None:
    """By the axis that has the channels; where the file tells no lengths, by what takes the images first."""
    first, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if first != last:
        return Layout.NCHW if first else Layout.NHWC
    takers = [node for node in model.graph.node if name in node.input]
    if takers and all(_turns(node) for node in takers):
        return Layout.NHWC
    return Layout.NCHW if any(node.op_type == "Conv" for node in takers) else None


def _turns(node: NodeProto) -> bool:
    return node.op_type == "Transpose" and attributes(node).get("perm") == _TO_NCHW


def _refused(taken: ValueInfoProto, size: Size) -> InputFailure:
    kind = TensorProto.DataType.Name(taken.type.tensor_type.elem_type).lower()
    shape = ["free" if length is None else length for length in shape_of(taken)]
    return GRAPH_INPUT.failure(found=f"{kind} of shape {shape}", height=size.height, width=size.width)
