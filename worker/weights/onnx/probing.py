"""An uploaded graph run on a few images: is what its nodes say true of its numbers?"""

from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, Self

import torch
from onnx import ModelProto
from torch import Tensor

from app.domain.models.input_size import InputSize, size_of
from app.domain.models.outputs import Output
from app.domain.refusals.graphs import GRAPH_MIXES_IMAGES, GRAPH_WITHOUT_MAPS
from app.domain.vocabulary import CamMethod, Origin
from worker.salience.closed_form import Seen, agrees
from worker.salience.watching import Row, row_of
from worker.weights.onnx.allowed import TYPES
from worker.weights.onnx.canonical import canonical
from worker.weights.onnx.entrance import Entrance, entrance_of
from worker.weights.onnx.graph_model import GraphModel
from worker.weights.onnx.judging import byte_count, opset_of
from worker.weights.onnx.reading import read_model
from worker.weights.onnx.tail import Pooled, Tail
from worker.weights.probe import PROBE_IMAGES, PROBE_SEED, ModelProbe, ProbedLayer, checked_output, is_alike
from worker.wire.facts import DescribedFact

TOLERANCE = 1e-5
"""Of the terms: so far may sums in single precision lie from their closed form."""
_SOFTMAXES = frozenset({"Softmax", "LogSoftmax"})


class ProbedGraph(NamedTuple):
    """``graph`` is the canonical file as a message; ``facts`` say how it was read."""

    graph: ModelProto
    loaded: GraphModel
    probe: ModelProbe
    facts: dict[str, DescribedFact]

    @classmethod
    def of(cls, file: BinaryIO, size: InputSize, target_layer: str | None, output: Output) -> Self:
        """Raises InputFailure."""
        uploaded = read_model(file)
        sides = size_of(size)
        entrance = entrance_of(uploaded, sides)
        graph = canonical(uploaded, entrance)
        copy = ModelProto()
        copy.CopyFrom(graph)
        loaded = GraphModel.of(copy, sides)
        loaded.reader(size, target_layer, output)  # refuses another layer
        images = _images((PROBE_IMAGES, loaded.channels, *sides), PROBE_SEED)
        seen = loaded.forward(images)
        outputs = checked_output(seen.outputs, output.kind)
        _check_way(loaded, images, seen)
        _check_independence(loaded, images, seen)
        classes = output.classes_of(outputs.shape[1])
        return cls(graph, loaded, _probe(graph, loaded, classes), _facts(graph, entrance, loaded))


def _images(shape: Sequence[int], seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _check_way(loaded: GraphModel, images: Tensor, seen: Seen) -> None:
    """That the outputs are those of the feature map alone, and of the linear layer where there is one."""
    layer, end = loaded.layer, loaded.tail.end
    if loaded.tail.head is not None:
        again = loaded.behind(images, Tensor.clone)
        if (again - seen.outputs).abs().max() > TOLERANCE * seen.outputs.abs().max():
            raise GRAPH_WITHOUT_MAPS.failure(found=f"what is behind {layer.name!r} does not compute its outputs")
    if not isinstance(end, Pooled):
        return
    fits = loaded.weights.shape == (seen.outputs.shape[1], layer.channels)
    if end.kernel not in {None, layer.grid}:
        raise GRAPH_WITHOUT_MAPS.failure(found="its pooling is not over the whole map")
    if layer.height * layer.width < 2:
        raise GRAPH_WITHOUT_MAPS.failure(found=f"{layer.name!r} has one cell")
    if not fits or not agrees(seen, loaded.weights, TOLERANCE):
        raise GRAPH_WITHOUT_MAPS.failure(found=f"its end ({end.steps}) does not compute what such an end does")


def _check_independence(loaded: GraphModel, images: Tensor, seen: Seen) -> None:
    """The first image beside others, and alone: a norm over the batch, or a free axis that is none, shows."""
    others = _images(images.shape, PROBE_SEED + 1)
    for batch in (torch.cat([images[:1], others]), images[:1]):
        again = loaded.forward(batch)
        if not all(is_alike(*pair) for pair in zip(_rows(seen), _rows(again), strict=True)):
            raise GRAPH_MIXES_IMAGES.failure()


def _rows(seen: Seen) -> tuple[Row, Row]:
    return row_of(seen.outputs), row_of(seen.features)


def _probe(graph: ModelProto, loaded: GraphModel, classes: int) -> ModelProbe:
    layer = loaded.layer
    refused = tuple(method for method in CamMethod if method not in loaded.possible)
    return ModelProbe(
        classes=classes,
        parameter_count=sum(byte_count(each) // TYPES[each.data_type] for each in graph.graph.initializer),
        target_layer=layer.name,
        map_channels=layer.channels,
        map_height=layer.height,
        map_width=layer.width,
        candidate_layers=(ProbedLayer.with_methods(layer, refused),),
        in_place_operations=(),
        final_softmax=loaded.tail.final_activation in _SOFTMAXES,
        cam_methods=loaded.possible,
    )


def _facts(graph: ModelProto, entrance: Entrance, loaded: GraphModel) -> dict[str, DescribedFact]:
    """How it was read, for the model's description."""
    tail = loaded.tail
    found = {
        "graph.opset": (opset_of(graph), None),
        "graph.batch": (entrance.batch or "free", "Images that it takes at once."),
        "graph.input": (entrance.layout.value, None),
        "graph.final_activation": (tail.final_activation, "Salience and scores are taken before it."),
        "graph.salience": (tail.way.value, _reason(tail)[:1000]),
    }
    return {
        name: DescribedFact(value=value, origin=Origin.FILE, note=note)
        for name, (value, note) in found.items()
        if value is not None
    }


def _reason(tail: Tail) -> str:
    """Why its salience is computed as it is."""
    if isinstance(tail.end, Pooled):
        return f"{tail.end.features} -> {tail.end.steps}: the gradient is a row of the last layer's weights."
    other = f"It does not end in a pooling and one linear layer: {tail.why}."
    if tail.end is None:
        return f"{other} No tensor on a grid of cells is known that a class reads, so that the images are masked."
    return f"{other} What is behind {tail.end.features} ({tail.end.behind}) is run alone on its cells."
