"""A graph made ready: where its salience is taken, and the sessions that run it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Self

import torch
from onnx import ModelProto, helper
from torch import Tensor

from app.domain.maps.cam_methods import CAM_METHODS, DEFAULT_MASKS, why_not
from app.domain.models.input_size import InputSize, Size, size_of
from app.domain.models.outputs import Output
from app.domain.refusals.use import METHOD_NOT_POSSIBLE
from app.domain.vocabulary import CamMethod, Layout
from app.errors import InputFailure
from worker.salience import OF_EXTRACTOR, OF_NETWORK, explainer_of_extractor, explainer_of_network
from worker.salience.closed_form import ClosedFormExtractor, Seen
from worker.salience.decisions import Decisions
from worker.salience.explainer import Explainer
from worker.salience.rise import cell_sides
from worker.salience.traced_layers import Layer
from worker.weights.onnx.entrance import Entrance, entrance_of
from worker.weights.onnx.graph_layer import layer_of, sizes_of, stride_of
from worker.weights.onnx.reading import parsed
from worker.weights.onnx.session import GraphSession, output_mismatch
from worker.weights.onnx.tail import Pooled, Tail, Way, tail_of

OF_A_PAIR = tuple(method for method in CamMethod if method in OF_EXTRACTOR)
"""CAM methods that need feature maps and their gradients, which behind a pooling and a linear layer are known."""
FORWARD = tuple(method for method in CamMethod if method in OF_NETWORK)
"""Those that need none."""


class _Passed(NamedTuple):
    """Of N images: ``outputs`` (N, O), what arrives at the layer as it lies there, what its head takes beside it."""

    outputs: Tensor
    arriving: Tensor
    sides: tuple[Tensor, ...] = ()


@dataclass(frozen=True)
class GraphModel:
    """``layer`` is the feature map that salience is taken of, the images themselves where there is no other;
    ``size_bytes`` is the canonical file's.
    """

    entrance: Entrance
    tail: Tail
    layer: Layer
    stride: tuple[int, int]
    size_bytes: int
    _whole: GraphSession = field(repr=False)
    _head: GraphSession | None = field(repr=False)

    @classmethod
    def of(cls, model: ModelProto, size: Size) -> Self:
        """``model`` as ``canonical`` left it. Raises InputFailure."""
        entrance, tail = entrance_of(model, size), tail_of(model)
        size_bytes, sizes = model.ByteSize(), sizes_of(model)
        seen = () if tail.end is None else (tail.end.features, *(tail.head.sides if tail.head else ()))
        head = None
        if tail.head is not None and tail.end is not None:
            head = GraphSession(tail.head.model, seen, entrance.batch, [tail.outputs])
        del model.graph.output[:]
        model.graph.output.extend(map(helper.make_empty_tensor_value_info, dict.fromkeys((tail.outputs, *seen))))
        whole = GraphSession(model, [entrance.name], entrance.batch, (tail.outputs, *seen))
        layer = layer_of(entrance, tail, whole)
        stride = cell_sides(size) if tail.end is None else stride_of(sizes, layer, size)
        return cls(entrance, tail, layer, stride, size_bytes, whole, head)

    @property
    def channels(self) -> int:
        """How many it takes."""
        return self.entrance.channels

    @property
    def weights(self) -> Tensor:
        """Of the linear layer (O, K) that the way in closed form has."""
        known = self.tail.end.weights if isinstance(self.tail.end, Pooled) else None
        return torch.eye(self.layer.channels) if known is None else torch.from_numpy(known)

    @property
    def has_head(self) -> bool:
        """Whether what is behind the layer can be run alone."""
        return self._head is not None

    @property
    def possible(self) -> tuple[CamMethod, ...]:
        """The CAM methods that can explain it, the best first."""
        if self.tail.way is Way.MASKED_IMAGES:
            return (CamMethod.RISE,)
        of_a_pair = OF_A_PAIR if self.tail.way is Way.CLOSED_FORM else ()
        return (*of_a_pair, *(each for each in FORWARD if self.has_head or not CAM_METHODS[each].runs_the_head))

    def forward(self, images: Tensor) -> Seen:
        """``images`` (N, C, H, W) float32. Raises InputFailure ``model-output-mismatch``."""
        passed = self._passed(images)
        return Seen(passed.outputs, self.layer.arrangement.to_nchw(passed.arriving))

    def _passed(self, images: Tensor) -> _Passed:
        if tuple(images.shape[2:]) != self.entrance.size:
            raise _other_size(self.entrance.size)
        turned = images if self.entrance.layout is Layout.NCHW else images.permute(0, 2, 3, 1)
        outputs, *seen = self._whole.run(turned)
        if not seen:
            return _Passed(_flat(outputs), turned)
        return _Passed(_flat(outputs), seen[0], tuple(seen[1:]))

    def behind(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        """Outputs (M, O), where ``change`` made (M, K, h, w) of the feature maps (N, K, h, w); of one image there may
        be many. Where it changed nothing the head is not run again.
        """
        passed, arrangement = self._passed(images), self.layer.arrangement
        features = arrangement.to_nchw(passed.arriving)
        made = change(features)
        if made is features:
            return passed.outputs
        if self._head is None:
            raise self._not_possible(CamMethod.RECIPROCAM)
        changed = arrangement.from_nchw(made, passed.arriving)
        sides = [side.expand(len(changed), *side.shape[1:]) for side in passed.sides]
        (outputs,) = self._head.run(changed, *sides)
        return _flat(outputs)

    def reader(self, input_size: InputSize, target_layer: str | None, output: Output) -> Callable[[Tensor], Tensor]:
        """Logits by class of images. Raises InputFailure ``target-layer-not-found`` or ``model-output-mismatch``."""
        self._check(input_size, target_layer)
        decisions = Decisions(output)
        return lambda images: decisions.of(self._passed(images).outputs)

    def explainer(
        self,
        method: CamMethod,
        input_size: InputSize,
        target_layer: str | None,
        output: Output,
        masks: int = DEFAULT_MASKS,
    ) -> Explainer:
        """Raises InputFailure ``cam-method-not-possible`` as well."""
        self._check(input_size, target_layer)
        if method not in self.possible:
            raise self._not_possible(method)
        if method in OF_NETWORK:
            return explainer_of_network(method, _Cut(self, Decisions(output)), masks)
        extractor = ClosedFormExtractor(self.forward, self.weights, Decisions(output), self.stride)
        return explainer_of_extractor(method, extractor)

    def _not_possible(self, method: CamMethod) -> InputFailure:
        why = why_not(method, is_graph=True)
        return METHOD_NOT_POSSIBLE.failure(method=method, model="this graph", why=why, possible=self.possible)

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
        return self.decisions.of(self.graph.behind(images, change))


def load_graph(file: BinaryIO, size: InputSize) -> GraphModel:
    """From a canonical file. Raises InputFailure."""
    return GraphModel.of(parsed(file.read()), size_of(size))


def _other_size(size: Size) -> InputFailure:
    return output_mismatch(f"It takes images of {size} pixels alone.")


def _flat(outputs: Tensor) -> Tensor:
    return outputs.flatten(1) if outputs.dim() > 2 else outputs
