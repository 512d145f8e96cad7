"""A graph made ready: where its salience is taken, and the session that runs it."""

from dataclasses import dataclass, field
from typing import BinaryIO, Self

import torch
from onnx import ModelProto, ValueInfoProto, helper
from torch import Tensor

from app.domain.outputs import Output
from app.domain.refusals import METHOD_NOT_POSSIBLE
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from worker.salience import CAM_METHODS
from worker.salience.closed_form import ClosedFormExtractor, Seen
from worker.salience.decisions import Decisions
from worker.salience.explainer import Explainer, PairExplainer
from worker.salience.layouts import Arrangement
from worker.salience.tracing import Layer, down_sampling
from worker.weights.onnx.entrance import Entrance, entrance_of
from worker.weights.onnx.reading import parsed
from worker.weights.onnx.session import GraphSession
from worker.weights.onnx.tail import Tail, tail_of
from worker.weights.onnx.values import Values

POSSIBLE = tuple(CAM_METHODS)
"""CAM methods that need one feature map and its gradient, which behind a pooling and a linear layer is known."""

_SPATIAL = frozenset({"Conv", "MaxPool", "AveragePool"})


@dataclass(frozen=True)
class GraphModel:
    """``layer`` is the feature map that enters the pooling; ``size_bytes`` is the canonical file's."""

    entrance: Entrance
    tail: Tail
    layer: Layer
    stride: tuple[int, int]
    weights: Tensor
    size_bytes: int
    _session: GraphSession = field(repr=False)

    @classmethod
    def of(cls, model: ModelProto, size: int) -> Self:
        """``model`` as ``canonical`` left it. Raises InputFailure."""
        entrance, tail = entrance_of(model, size), tail_of(model)
        size_bytes = model.ByteSize()
        sizes = _sizes(model)
        del model.graph.output[:]
        model.graph.output.extend(_outputs(tail))
        session = GraphSession(model, entrance, (tail.outputs, tail.features))
        _, features = session.run(torch.zeros(1, entrance.channels, size, size))
        arrangement = Arrangement(tail.layout, *_sides(features, tail))
        layer = Layer.of(tail.features, features, arrangement)
        weights = torch.eye(layer.channels) if tail.weights is None else torch.from_numpy(tail.weights)
        stride = tuple(
            down_sampling([sides[axis] for sides in sizes], cells, size)
            for axis, cells in enumerate((layer.height, layer.width))
        )
        return cls(entrance, tail, layer, (stride[0], stride[1]), weights, size_bytes, session)

    @property
    def channels(self) -> int:
        """How many it takes."""
        return self.entrance.channels

    def forward(self, images: Tensor) -> Seen:
        """``images`` (N, C, S, S) float32. Raises InputFailure ``model-output-mismatch``."""
        outputs, features = self._session.run(images)
        flat = outputs.flatten(1) if outputs.dim() > 2 else outputs
        return Seen(flat, self.layer.arrangement.to_nchw(features))

    def extractor(self, input_size: int, target_layer: str | None, output: Output) -> ClosedFormExtractor:
        """Raises InputFailure ``target-layer-not-found`` or ``model-output-mismatch``."""
        if target_layer not in {None, self.layer.name}:
            detail = f"Salience of this ONNX graph is taken at {self.layer.name!r} alone; leave target_layer out."
            raise InputFailure("target-layer-not-found", detail)
        if input_size != self.entrance.size:
            detail = f"The graph takes images of {self.entrance.size} x {self.entrance.size} pixels alone."
            raise InputFailure("model-output-mismatch", detail)
        return ClosedFormExtractor(self.forward, self.weights, Decisions(output), self.stride)

    def explainer(self, method: CamMethod, input_size: int, target_layer: str | None, output: Output) -> Explainer:
        """Raises InputFailure ``cam-method-not-possible`` as well."""
        if method not in POSSIBLE:
            raise METHOD_NOT_POSSIBLE.failure(method=method, model="", possible=", ".join(POSSIBLE))
        return PairExplainer(self.extractor(input_size, target_layer, output), CAM_METHODS[method])


def load_graph(file: BinaryIO, size: int) -> GraphModel:
    """From a canonical file. Raises InputFailure."""
    return GraphModel.of(parsed(file.read()), size)


def _sizes(model: ModelProto) -> list[tuple[int, int]]:
    """Height and width of the feature maps on the way, which are (N, C, H, W) wherever ONNX convolves or pools."""
    shapes = Values(model).shapes
    made = [shapes.get(node.output[0], ()) for node in model.graph.node if node.op_type in _SPATIAL]
    return [(shape[2] or 0, shape[3] or 0) for shape in made if len(shape) == 4]


def _sides(features: Tensor, tail: Tail) -> tuple[int, int]:
    if features.dim() != 4:
        raise InputFailure("model-output-mismatch", f"The tensor {tail.features!r} is no feature map of four axes.")
    axes = (2, 3) if tail.layout == "nchw" else (1, 2)
    return features.shape[axes[0]], features.shape[axes[1]]


def _outputs(tail: Tail) -> list[ValueInfoProto]:
    return [helper.make_empty_tensor_value_info(name) for name in dict.fromkeys((tail.outputs, tail.features))]
