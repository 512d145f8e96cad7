"""Looks deep into an uploaded ONNX graph: can it be read, run and explained?"""

from collections.abc import Iterator

import torch

from app.domain.models.input_size import InputSize
from app.domain.models.outputs import Output
from app.domain.models.preprocessing import Preprocessing
from worker.weights.channels import check_channels
from worker.weights.onnx.canonical import graph_parts
from worker.weights.onnx.graph_model import GraphModel
from worker.weights.onnx.probing import ProbedGraph
from worker.weights.speed import ModelSpeed, Placed
from worker.wire.contents import Inputs, verified
from worker.wire.facts import ModelFacts
from worker.wire.jobs import ModelJob
from worker.wire.replies import Progress, Reply, Weights


def run_graph_job(job: ModelJob, device: torch.device, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """The canonical file in parts, and what the probe found. Raises InputFailure."""
    with verified(inputs, job.digest) as file:
        probed = ProbedGraph.of(file, job.input_size, job.target_layer, job.output)
    check_channels(probed.loaded.channels, Preprocessing.of(job.preprocessing))
    yield Progress(), b""
    for part in graph_parts(probed.graph):
        yield Weights(), part
    placed = placed_graph(probed.loaded, job.input_size, job.target_layer, job.output)
    speed = ModelSpeed.of(lambda: placed, device, job.input_size, probed.loaded.channels)
    told = {"speed": speed and speed.to_dict(), "description": probed.facts}
    yield ModelFacts.model_validate(probed.probe.to_dict() | told), b""


def placed_graph(loaded: GraphModel, input_size: InputSize, target_layer: str | None, output: Output) -> Placed:
    """A pass is a forward one: what a method makes of it beside takes next to nothing, or is counted in passes."""
    look = loaded.reader(input_size, target_layer, output)
    return Placed(look, loaded.behind if loaded.has_head else None, bias_channels=None)
