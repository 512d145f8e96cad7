"""A graph made ready: where its salience is taken, and the sessions that run it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, Self

import torch
from onnx import ModelProto, ValueInfoProto, helper
from torch import Tensor

from app.domain.input_size import InputSize, Size, size_of
from app.domain.outputs import Output
from app.domain.refusals import METHOD_NOT_POSSIBLE
from app.domain.vocabulary import CamMethod, Layout
from app.errors import InputFailure
from worker.salience import OF_EXTRACTOR, OF_NETWORK, explainer_of_extractor, explainer_of_network
from worker.salience.closed_form import ClosedFormExtractor, Seen
from worker.salience.decisions import Decisions
from worker.salience.explainer import Explainer
from worker.salience.layouts import Arrangement
from worker.salience.tracing import Layer, down_sampling
from worker.weights.onnx.cut import head
from worker.weights.onnx.entrance import Entrance, entrance_of
from worker.weights.onnx.reading import parsed
from worker.weights.onnx.session import GraphSession, output_mismatch
from worker.weights.onnx.tail import Tail, tail_of
from worker.weights.onnx.values import Values

OF_A_PAIR = tuple(method for method in CamMethod if method in OF_EXTRACTOR)
"""CAM methods that need feature maps and their gradients, which behind a pooling and a linear layer are known."""
FORWARD = tuple(method for method in CamMethod if method in OF_NETWORK)
"""Those that need none."""
_SPATIAL = frozenset({"Conv", "MaxPool", "AveragePool"})


@dataclass(frozen=True)
class GraphModel:
    """``layer`` is the feature map that salience is taken of; ``size_bytes`` is the canonical file's."""

    entrance: Entrance
    tail: Tail
    layer: Layer
    stride: tuple[int, int]
    size_bytes: int
    _whole: GraphSession = field(repr=False)
    _head: GraphSession = field(repr=False)

    @classmethod
    def of(cls, model: ModelProto, size: Size) -> Self:
        """``model`` as ``canonical`` left it. Raises InputFailure."""
        entrance, tail = entrance_of(model, size), tail_of(model)
        size_bytes = model.ByteSize()
        sizes = _sizes(model)
        behind = GraphSession(head(model, tail.features, tail.outputs), tail.features, entrance.batch, [tail.outputs])
        del model.graph.output[:]
        model.graph.output.extend(_outputs(tail))
        session = GraphSession(model, entrance.name, entrance.batch, (tail.outputs, tail.features))
        _, features = session.run(torch.zeros(1, *(each or 1 for each in entrance.shape[1:])))
        layer = Layer.of(tail.features, features, Arrangement(tail.layout, *_sides(features, tail)))
        down, right = (
            down_sampling([sides[axis] for sides in sizes], cells, size[axis])
            for axis, cells in enumerate((layer.height, layer.width))
        )
        return cls(entrance, tail, layer, (down, right), size_bytes, session, behind)

    @property
    def channels(self) -> int:
        """How many it takes."""
        return self.entrance.channels

    @property
    def weights(self) -> Tensor:
        """Of the linear layer (O, K)."""
        return torch.eye(self.layer.channels) if self.tail.weights is None else torch.from_numpy(self.tail.weights)

    @property
    def possible(self) -> tuple[CamMethod, ...]:
        """The CAM methods that can explain it, the best first."""
        return (*(OF_A_PAIR if self.tail.is_linear else ()), *FORWARD)

    def forward(self, images: Tensor) -> Seen:
        """``images`` (N, C, H, W) float32. Raises InputFailure ``model-output-mismatch``."""
        if tuple(images.shape[2:]) != self.entrance.size:
            raise _other_size(self.entrance.size)
        turned = images if self.entrance.layout is Layout.NCHW else images.permute(0, 2, 3, 1)
        outputs, features = self._whole.run(turned)
        return Seen(_flat(outputs), self.layer.arrangement.to_nchw(features))

    def behind(self, features: Tensor) -> Tensor:
        """Outputs (N, O) of feature maps (N, K, h, w)."""
        (outputs,) = self._head.run(self.layer.arrangement.from_nchw(features, features))
        return _flat(outputs)

    def reader(self, input_size: InputSize, target_layer: str | None, output: Output) -> Callable[[Tensor], Tensor]:
        """Logits by class of images. Raises InputFailure ``target-layer-not-found`` or ``model-output-mismatch``."""
        self._check(input_size, target_layer)
        decisions = Decisions(output)
        return lambda images: decisions.of(self.forward(images).outputs)

    def explainer(
        self, method: CamMethod, input_size: InputSize, target_layer: str | None, output: Output
    ) -> Explainer:
        """Raises InputFailure ``cam-method-not-possible`` as well."""
        self._check(input_size, target_layer)
        if method not in self.possible:
            raise METHOD_NOT_POSSIBLE.failure(method=method, model="", possible=", ".join(self.possible))
        if method in OF_NETWORK:
            return explainer_of_network(method, _Cut(self, Decisions(output)))
        extractor = ClosedFormExtractor(self.forward, self.weights, Decisions(output), self.stride)
        return explainer_of_extractor(method, extractor)

    def _check(self, input_size: InputSize, target_layer: str | None) -> None:
        if target_layer not in {None, self.layer.name}:
            detail = f"Salience of this ONNX graph is taken at {self.layer.name!r} alone; leave target_layer out."
            raise InputFailure("target-layer-not-found", detail)
        if size_of(input_size) != self.entrance.size:
            raise _other_size(self.entrance.size)


@dataclass(frozen=True)
class _Cut:
    """The graph with its feature map in reach."""

    graph: GraphModel
    decisions: Decisions

    @property
    def stride(self) -> tuple[int, int]:
        return self.graph.stride

    def run(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        return self.decisions.of(self.graph.behind(change(self.graph.forward(images).features)))


def load_graph(file: BinaryIO, size: InputSize) -> GraphModel:
    """From a canonical file. Raises InputFailure."""
    return GraphModel.of(parsed(file.read()), size_of(size))


def _other_size(size: Size) -> InputFailure:
    return output_mismatch(f"It takes images of {size} pixels alone.")


def _flat(outputs: Tensor) -> Tensor:
    return outputs.flatten(1) if outputs.dim() > 2 else outputs


def _sizes(model: ModelProto) -> list[tuple[int, int]]:
    """Height and width of the feature maps on the way, which are (N, C, H, W) wherever ONNX convolves or pools."""
    shapes = Values(model).shapes
    made = [shapes.get(node.output[0], ()) for node in model.graph.node if node.op_type in _SPATIAL]
    return [(shape[2] or 0, shape[3] or 0) for shape in made if len(shape) == 4]


def _sides(features: Tensor, tail: Tail) -> tuple[int, int]:
    if features.dim() != 4:
        raise output_mismatch(f"The tensor {tail.features!r} is no feature map of four axes.")
    axes = (2, 3) if tail.layout is Layout.NCHW else (1, 2)
    return features.shape[axes[0]], features.shape[axes[1]]


def _outputs(tail: Tail) -> list[ValueInfoProto]:
    return [helper.make_empty_tensor_value_info(name) for name in dict.fromkeys((tail.outputs, tail.features))]
