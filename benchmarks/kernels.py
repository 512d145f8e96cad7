"""The comparisons and the blur against scikit-image and SciPy."""

import itertools
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity as scikit_similarity
from torch import Tensor

from benchmarks.subjects import batch
from benchmarks.table import Row, Section, at_least, at_most
from benchmarks.timing import ratio, side_by_side
from worker.functional.blur import degradation_levels, degrade_exact, sigma_of_levels
from worker.functional.blur_stack import blur_stack, blur_table, degrade_fast
from worker.functional.native import native
from worker.functional.resampling import resize_bicubic_8bit
from worker.functional.ssim import pairwise_structural_similarity, structural_similarity

RUNS = 10
# Ours in a row a round: a single call is over within a few ticks of what it takes to look at the clock.
CALLS = 50


def comparisons(device: torch.device, repetitions: int) -> Section:
    """SSIM of native 7 x 7 maps, of all pairs of a run group, and of maps as large as the image."""
    generator = torch.Generator().manual_seed(0)
    small = torch.randint(0, 256, (RUNS, 64, 7, 7), generator=generator, dtype=torch.uint8).to(device)
    large = resize_bicubic_8bit(small[:2, :8].flatten(0, 1), 224).view(2, 8, 224, 224)
    found = {
        "7 x 7": (partial(structural_similarity, small[0], small[1]), partial(_scikit, small[0], small[1])),
        "pairs": (partial(pairwise_structural_similarity, small), partial(_scikit_pairs, small)),
        "224 x 224": (partial(structural_similarity, large[0], large[1]), partial(_scikit, large[0], large[1])),
    }
    targets = {"7 x 7": 80.0, "pairs": 500.0, "224 x 224": 4.0}
    rows = []
    for name, (ours, theirs) in found.items():
        timings = side_by_side({"ours": partial(_in_a_row, ours), "scikit-image": theirs}, repetitions)
        difference = float((ours().cpu() - theirs()).abs().max())
        label = f"all pairs of {RUNS} runs, 7 x 7" if name == "pairs" else name
        times = ratio(timings, "ours", "scikit-image") * CALLS
        rows.append(Row(f"{label} / scikit-image", **at_least(times, targets[name], 0)))
        rows.append(Row(f"{label}, largest difference", **at_most(difference, 1e-9)))
    method = f"64 and 8 maps a call, {CALLS} calls a round, compiled: {native is not None}; {repetitions} rounds."
    return Section("SSIM", method, rows)


def _in_a_row(run: Callable[[], object]) -> None:
    for _ in range(CALLS):
        run()


def _scikit(first: Tensor, second: Tensor) -> Tensor:
    pairs = zip(first.cpu().numpy(), second.cpu().numpy(), strict=True)
    return torch.tensor([scikit_similarity(one, other) for one, other in pairs], dtype=torch.float64)


def _scikit_pairs(maps: Tensor) -> Tensor:
    return torch.stack([_scikit(one, other) for one, other in itertools.combinations(maps, 2)])


def blurs(device: torch.device, repetitions: int) -> Section:
    """Both degraded images of four photographs under smooth maps."""
    images = batch(4, device)
    generator = torch.Generator().manual_seed(1)
    maps = resize_bicubic_8bit(torch.randint(0, 256, (4, 7, 7), generator=generator, dtype=torch.uint8), 224).to(device)
    levels = [degradation_levels(255 - maps), degradation_levels(maps)]
    sigmas = sigma_of_levels(10, 4)
    runs = {
        "exact": partial(degrade_exact, images, levels, sigmas),
        "fast": partial(_fast, images, levels),
        "SciPy": partial(_scipy, images, levels, sigmas),
    }
    timings = side_by_side(runs, repetitions)
    expected = runs["SciPy"]()
    exact, fast = (_difference(runs[which](), expected) for which in ("exact", "fast"))
    return Section(
        "Degradation",
        f"Both directions of four images, {repetitions} rounds; SciPy blurs once a level for both directions and takes "
        f"{timings['SciPy'].median / 4 * 1e3:.0f} ms an image.",
        [
            Row("exact mode (the default) / SciPy", **at_least(ratio(timings, "exact", "SciPy"), 25, 1)),
            Row("exact mode, largest difference in levels", **at_most(exact.max().item(), 0)),
            Row("approximation / SciPy", **at_least(ratio(timings, "fast", "SciPy"), 25, 1)),
            Row("approximation, mean difference in levels", f"{fast.mean().item():.2f}"),
        ],
    )


def _fast(images: Tensor, levels: list[Tensor]) -> list[Tensor]:
    table = blur_table(tuple(sigma_of_levels(10, 4).tolist()), images.device)
    stack = blur_stack(images, table.knots)
    return [degrade_fast(stack, chosen, table) for chosen in levels]


def _scipy(images: Tensor, levels: list[Tensor], sigmas: np.ndarray) -> list[Tensor]:
    outs = [np.empty(images.shape, np.uint8) for _ in levels]
    for number, image in enumerate(images.cpu().numpy()):
        chosen = [level[number].cpu().numpy() for level in levels]
        for level in np.unique(np.stack(chosen)):
            blurred = gaussian_filter(image, (0, sigmas[level], sigmas[level]))
            for out, places in zip(outs, chosen, strict=True):
                np.copyto(out[number], blurred, where=places == level)
    return [torch.from_numpy(out) for out in outs]


def _difference(found: list[Tensor], expected: list[Tensor]) -> Tensor:
    return (torch.stack(found).cpu().double() - torch.stack(expected).double()).abs()
