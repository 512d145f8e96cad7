"""Where the time of an audit goes: every stage on its own, at the sizes that an audit gives it."""

import io
from collections.abc import Callable
from functools import partial

import torch
from PIL import Image

from app.domain.protocol import ProtocolRequest
from app.imaging.decoding import decode_rgb
from app.settings import Settings
from benchmarks.audits import BATCH, PASSES, PROTOCOL
from benchmarks.subjects import SIZE, batch, network, normalise, photographs
from benchmarks.table import Row, Section
from benchmarks.timing import side_by_side
from worker.engine.measuring import ModelAuditor
from worker.functional.blur import degradation_levels, degrade_exact, sigma_of_levels
from worker.functional.geometry import shift
from worker.functional.noise import noise_generator, salt_and_pepper
from worker.functional.resampling import resize_bicubic_8bit
from worker.functional.ssim import structural_similarity
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

GEOMETRIC, SHIFTS = 12, 8
Stages = dict[str, tuple[int, Callable[[], object]]]
"""What is timed, by its name, and how often an image needs it."""


def stages(name: str, device: torch.device, repetitions: int) -> Section:
    """Milliseconds an image, and how many times an image needs the stage."""
    module, images = network(name, device), batch(BATCH, device)
    protocol = ProtocolRequest.model_validate(PROTOCOL).resolve()
    explainer = make_explainer(protocol.salience.method, TargetHook(module, input_size=SIZE))
    auditor = ModelAuditor(explainer, normalise, protocol, (0, 1), device)
    names = tuple(f"{number}.png" for number in range(BATCH))
    host, truth = batch(BATCH, torch.device("cpu")), torch.zeros(BATCH, dtype=torch.int64)
    tensor = normalise(images)
    generator = torch.Generator().manual_seed(1)
    native = torch.randint(0, 256, (BATCH, 7, 7), generator=generator, dtype=torch.uint8).to(device)
    maps = resize_bicubic_8bit(native, SIZE)
    levels = [degradation_levels(255 - maps), degradation_levels(maps)]
    picture = io.BytesIO()
    Image.fromarray(photographs(1)[0]).save(picture, "PNG")
    streams = [noise_generator(0, sample, 0.05) for sample in names]
    limits = Settings()
    runs: Stages = {
        "the whole engine": (1, lambda: auditor.audit(ImageBatch(host, names), truth)),
        "forward passes": (PASSES, partial(_forward, module, tensor)),
        "passes with gradients": (PASSES, lambda: explainer.explain(tensor, None)),
        "normalisation": (PASSES, lambda: normalise(images)),
        "SSIM at input resolution, with controls": (
            2 * GEOMETRIC + 2,
            lambda: structural_similarity(maps, maps.flip(1)),
        ),
        "maps to input resolution": (PASSES - 1, lambda: resize_bicubic_8bit(native, SIZE)),
        "degradation": (1, lambda: degrade_exact(images, levels, sigma_of_levels(10, 4))),
        "its levels": (2, lambda: degradation_levels(maps)),
        "noise": (1, lambda: salt_and_pepper(images, 0.05, streams)),
        "shifts there and back": (SHIFTS, lambda: (shift(images, 16, 16), shift(maps, -16, -16))),
        "decoding (beside the passes)": (1, lambda: [decode_rgb(picture.getvalue(), limits) for _ in range(BATCH)]),
    }
    return _section(name, runs, repetitions)


def _section(name: str, runs: Stages, repetitions: int) -> Section:
    """Of each stage the milliseconds that an image needs in all, and its part of the whole engine's."""
    timings = side_by_side({stage: run for stage, (_, run) in runs.items()}, repetitions)
    spent = {stage: timings[stage].median / BATCH * 1e3 * times for stage, (times, _) in runs.items()}
    spent["gradients and maps"] = spent.pop("passes with gradients") - spent["forward passes"]
    whole = spent["the whole engine"]
    rows = [Row(stage, f"{value:.2f} ms", note=f"{value / whole:.0%}") for stage, value in spent.items()]
    return Section(
        f"Where the time goes: {name}",
        f"Milliseconds an image, each stage timed on its own at {BATCH} images, {repetitions} rounds; "
        "their sum need not be the whole.",
        rows,
    )


def _forward(module: torch.nn.Module, images: torch.Tensor) -> None:
    with torch.inference_mode():
        module(images)
