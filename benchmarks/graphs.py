"""Grad-CAM of an ONNX graph against onnxruntime alone, as users run it: its defaults, this process's threads."""

import io
import warnings
from typing import Any

import onnxruntime
import torch
from torch import Tensor, nn

from app.domain.models.outputs import CLASSES
from app.domain.vocabulary import CamMethod
from benchmarks.subjects import SIZE, batch, network, normalise
from benchmarks.table import Row, Section, at_least, at_most
from benchmarks.timing import ratio, side_by_side
from worker.functional.quantization import min_max
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.weights.onnx.canonical import graph_parts
from worker.weights.onnx.graph_model import load_graph
from worker.weights.onnx.probing import ProbedGraph

BATCH = 16
CPU = torch.device("cpu")


def graph(name: str, repetitions: int) -> Section:
    """One network of torch, exported."""
    module, images = network(name, CPU), normalise(batch(BATCH, CPU))
    uploaded = _exported(module)
    probed = ProbedGraph.of(io.BytesIO(uploaded), SIZE, None, CLASSES)
    model = load_graph(io.BytesIO(b"".join(graph_parts(probed.graph))), SIZE)
    ours = model.explainer(CamMethod.GRADCAM, SIZE, None, CLASSES)
    bare, fed = _session(uploaded), images.contiguous().numpy()
    in_torch = make_explainer(CamMethod.GRADCAM, TargetHook(module, input_size=SIZE))
    timings = side_by_side(
        {
            "bare": lambda: bare.run(None, {"images": fed}),
            "ours": lambda: ours.explain(images, None),
            "in torch": lambda: in_torch.explain(images, None),
        },
        repetitions,
    )
    difference = float((_maps(ours, images) - _maps(in_torch, images)).abs().max())
    return Section(
        f"Grad-CAM of {name} as ONNX",
        f"{BATCH} images a batch, {repetitions} interleaved rounds; onnxruntime alone takes "
        f"{timings['bare'].median / BATCH * 1e3:.1f} ms an image.",
        [
            Row("maps / bare onnxruntime", **at_least(ratio(timings, "ours", "bare"), 0.85)),
            Row("maps / maps in torch", f"{ratio(timings, 'ours', 'in torch'):.2f}"),
            Row("largest difference to the maps in torch", **at_most(difference, 1e-4)),
        ],
    )


def _maps(explainer: Any, images: Tensor) -> Tensor:
    maps, _ = min_max(explainer.explain(images, None).maps)
    return maps


def _exported(module: nn.Module) -> bytes:
    file: Any = io.BytesIO()
    axes = {"images": {0: "batch"}}
    with warnings.catch_warnings(action="ignore"):
        given = (torch.zeros(2, 3, SIZE, SIZE),)
        torch.onnx.export(module, given, file, input_names=["images"], dynamic_axes=axes, dynamo=False)
    data: bytes = file.getvalue()
    return data


def _session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
