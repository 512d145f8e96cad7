"""Looks deep into an uploaded ONNX graph: can it be read, run and explained?"""

from collections.abc import Iterator

import torch

from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import CamMethod
from worker.weights.channels import check_channels
from worker.weights.onnx.canonical import graph_parts
from worker.weights.onnx.graph_model import GraphModel
from worker.weights.onnx.probing import ProbedGraph
from worker.weights.speed import ModelSpeed, Pass
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
    speed = ModelSpeed.of(lambda: _look(probed.loaded, job), device, job.input_size, probed.loaded.channels)
    told = {"speed": speed and speed.to_dict(), "description": probed.facts}
    yield ModelFacts.model_validate(probed.probe.to_dict() | told), b""


def _look(loaded: GraphModel, job: ModelJob) -> Pass:
    """One pass by its best method; of masked images, which take thousands, one of those."""
    best = loaded.possible[0]
    if best is CamMethod.RISE:
        return loaded.reader(job.input_size, job.target_layer, job.output)
    explainer = loaded.explainer(best, job.input_size, job.target_layer, job.output)
    return lambda images: explainer.explain(images, None).maps
