"""Grad-CAM of a batch against the bare forward pass and the field's libraries; six methods against six calls."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import pytorch_grad_cam as library
import torch
from captum.attr import LayerGradCam
from torch import Tensor, nn
from torchcam.methods import GradCAM as TorchCam

from benchmarks.elsewhere import Elsewhere
from benchmarks.memory import peak_mebibytes
from benchmarks.subjects import batch, network, normalise
from benchmarks.table import Row, Section, at_least, at_most
from benchmarks.timing import ratio, side_by_side
from worker.functional.quantization import min_max
from worker.salience import CAM_METHODS
from worker.salience.extraction import SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.methods import gradcam

BATCH = 16
LIBRARY = (
    library.GradCAM,
    library.GradCAMPlusPlus,
    library.HiResCAM,
    library.XGradCAM,
    library.LayerCAM,
    library.EigenCAM,
)

# Whose memory is measured too, each in a process of its own.
HELD = ("forward", "ours", "pytorch-grad-cam")

Candidates = dict[str, Callable[[], Any]]


def grad_cam(name: str, device: torch.device, repetitions: int) -> Section:
    """One network: throughput, peak memory and agreement."""
    runs = candidates(name, device)
    with Elsewhere("benchmarks.maps", "peer", name, str(device)) as elsewhere:
        timings = side_by_side(runs | {"elsewhere": elsewhere}, repetitions)
    expected = min_max(runs["pytorch-grad-cam"]())[0]
    difference = float((min_max(runs["ours"]())[0].cpu() - expected).abs().max())
    spread = max(timing.spread for timing in timings.values())
    rows = [
        Row("maps / bare forward", **at_least(ratio(timings, "ours", "forward"), 0.97)),
        Row(
            "maps / pytorch-grad-cam",
            **at_least(ratio(timings, "ours", "elsewhere"), 4, 1),
            note=f"as users run it; with the heap kept for it too: {ratio(timings, 'ours', 'pytorch-grad-cam'):.1f}",
        ),
        Row("maps / TorchCAM", f"{ratio(timings, 'ours', 'TorchCAM'):.2f}", note="with a forward pass for the class"),
        Row("maps / Captum", f"{ratio(timings, 'ours', 'Captum'):.2f}", note="with a forward pass for the class"),
        Row("largest difference to pytorch-grad-cam", **at_most(difference, 5e-6)),
    ]
    if device.type == "cpu":
        peaks = {which: peak_mebibytes("benchmarks.maps", "peak_candidate", name, which) for which in HELD}
        note = ", ".join(f"{which} {peak:.0f} MiB" for which, peak in peaks.items())
        rows.append(Row("peak memory / forward's", **at_most(peaks["ours"] / peaks["forward"], 1.25), note=note))
    return Section(
        f"Grad-CAM of {name}",
        f"{BATCH} images a batch, {repetitions} interleaved rounds, spread up to {spread:.0%}; "
        f"the forward pass takes {timings['forward'].median / BATCH * 1e3:.1f} ms an image.",
        rows,
    )


def peak_candidate(name: str, which: str) -> Callable[[], Any]:
    """For `benchmarks.memory`, in a process of its own."""
    return candidates(name, torch.device("cpu"))[which]


def peer(name: str, device: str) -> Callable[[], Any]:
    """pytorch-grad-cam, for `benchmarks.elsewhere`."""
    return candidates(name, torch.device(device))["pytorch-grad-cam"]


def candidates(name: str, device: torch.device) -> Candidates:
    """The same maps, raw (N, h, w), five ways; ``forward`` only makes logits."""
    module, images = network(name, device), normalise(batch(BATCH, device))
    extractor = SalienceExtractor(TargetHook(module, input_size=images.shape[-1]))
    twin, layer = _hookable(name, module)
    return {
        "forward": partial(_forward, module, images),
        "ours": partial(_ours, extractor, images),
        "pytorch-grad-cam": partial(_library, library.GradCAM, twin, layer, images),
        "TorchCAM": partial(_torchcam, twin, layer, images),
        "Captum": partial(_captum, twin, layer, images),
    }


def six_methods(name: str, device: torch.device, repetitions: int) -> Section:
    """All six methods from one pair, against six calls of the library."""
    module, images = network(name, device), normalise(batch(BATCH, device))
    extractor = SalienceExtractor(TargetHook(module, input_size=images.shape[-1]))
    twin, layer = _hookable(name, module)
    runs: Candidates = {
        "forward": partial(_forward, module, images),
        "ours": partial(_six, extractor, images),
        "library": partial(_six_calls, twin, layer, images),
    }
    with Elsewhere("benchmarks.maps", "six_peers", name, str(device)) as elsewhere:
        timings = side_by_side(runs | {"elsewhere": elsewhere}, repetitions)
    kept, passes = ratio(timings, "ours", "library"), ratio(timings, "forward", "library")
    return Section(
        f"Six CAM methods on {name}",
        f"{BATCH} images a batch, {repetitions} interleaved rounds: one captured pair against six library calls.",
        [
            Row(
                "six maps / six library calls",
                **at_least(ratio(timings, "ours", "elsewhere"), 20, 1),
                note=f"as users run it; with the heap kept for it too: {kept:.1f}, of {passes:.1f} bare forward passes",
            ),
            Row("six maps / bare forward", f"{ratio(timings, 'ours', 'forward'):.2f}"),
        ],
    )


def six_peers(name: str, device: str) -> Callable[[], Any]:
    """pytorch-grad-cam's six, for `benchmarks.elsewhere`."""
    twin, layer = _hookable(name, network(name, torch.device(device)))
    return partial(_six_calls, twin, layer, normalise(batch(BATCH, torch.device(device))))


def _six_calls(module: nn.Module, layer: str, images: Tensor) -> list[Tensor]:
    return [_library(method, module, layer, images) for method in LIBRARY]


# Where hooks find the tensor that enters the pooling. DenseNet writes to it afterwards, by a function in place.
_LAYERS = {"resnet18": "layer4", "resnet50": "layer4", "shufflenet_v2_x0_5": "conv5", "densenet121": "1"}


def _hookable(name: str, module: Any) -> tuple[nn.Module, str]:
    """A copy as users have it, with gradients for all parameters, and the name of the layer."""
    twin = deepcopy(module).requires_grad_()
    if name == "densenet121":
        twin = nn.Sequential(twin.features, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), twin.classifier)
    return twin, _LAYERS[name]


def _six(extractor: SalienceExtractor, images: Tensor) -> list[Tensor]:
    pair = extractor.extract(images)
    return [make(pair.activation, pair.gradient) for make in CAM_METHODS.values()]


def _forward(module: nn.Module, images: Tensor) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = module(images)
    return logits


def _ours(extractor: SalienceExtractor, images: Tensor) -> Tensor:
    pair = extractor.extract(images)
    return gradcam(pair.activation, pair.gradient)


def _library(method: Any, module: nn.Module, layer: str, images: Tensor) -> Tensor:
    """As its README has it; the resize to the image is left out, for the maps to be comparable."""
    with method(module, [module.get_submodule(layer)]) as cam:
        cam.get_target_width_height = lambda _images: None
        maps = torch.from_numpy(np.asarray(cam(images, None)))
    module.zero_grad(set_to_none=True)
    return maps


def _torchcam(module: nn.Module, layer: str, images: Tensor) -> Tensor:
    with TorchCam(module, layer) as cam:
        logits = module(images)
        maps: Tensor = cam(logits.argmax(1).tolist(), logits, normalized=False)[0]
    return maps


def _captum(module: nn.Module, layer: str, images: Tensor) -> Tensor:
    cam = LayerGradCam(module, module.get_submodule(layer))
    maps = cam.attribute(images, _forward(module, images).argmax(1), relu_attributions=True)
    found: Tensor = maps.detach()[:, 0]
    return found
