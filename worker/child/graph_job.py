"""Looks deep into an uploaded ONNX graph: can it be read, run and explained?"""

from collections.abc import Iterator

import torch

from app.domain.preprocessing import Preprocessing
from worker.weights.channels import check_channels
from worker.weights.onnx.canonical import graph_parts
from worker.weights.onnx.probing import ProbedGraph
from worker.weights.speed import ModelSpeed
from worker.wire.contents import Inputs, verified
from worker.wire.jobs import ModelJob
from worker.wire.replies import ModelFacts, Progress, Reply, Weights


def run_graph_job(job: ModelJob, device: torch.device, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """The canonical file in parts, and what the probe found. Raises InputFailure."""
    with verified(inputs, job.digest) as file:
        probed = ProbedGraph.of(file, job.input_size, job.target_layer, job.output)
    check_channels(probed.loaded.channels, Preprocessing.of(job.preprocessing))
    yield Progress(), b""
    for part in graph_parts(probed.graph):
        yield Weights(), part
    explainer = probed.loaded.explainer(probed.loaded.possible[0], job.input_size, job.target_layer, job.output)
    speed = ModelSpeed.of(lambda: explainer, device, job.input_size, probed.loaded.channels)
    told = {"speed": speed and speed.to_dict(), "description": probed.facts}
    yield ModelFacts.model_validate(probed.probe.to_dict() | told), b""
