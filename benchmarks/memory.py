"""Resident memory: peaks of one call, and growth over many."""

import ctypes
import importlib
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from app.domain.vocabulary import CamMethod
from benchmarks.subjects import SIZE, batch, network, normalise
from benchmarks.table import Row, Section, at_most
from worker.salience import make_explainer
from worker.salience.hook import TargetHook

MEBIBYTE = 1024**2
# From glibc's malloc.h.
_M_MMAP_THRESHOLD = -3


def peak_mebibytes(module: str, factory: str, *arguments: str) -> float:
    """What the second call of ``module.factory(*arguments)()`` adds, at its peak, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (module, factory, arguments))


def _peak(module: str, factory: str, arguments: tuple[str, ...]) -> float:
    # Every tensor is mapped on its own and given back at once, so that what a call holds is seen from outside.
    ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
    run: Callable[[], Any] = getattr(importlib.import_module(module), factory)(*arguments)
    run()
    return added_mebibytes(run)


def added_mebibytes(run: Callable[[], Any]) -> float:
    """What a call adds to this process, at its peak."""
    before = resident_bytes()
    Path("/proc/self/clear_refs").write_text("5")  # begin the high-water mark anew
    run()
    return (_status("VmHWM") - before) / MEBIBYTE


def resident_bytes() -> int:
    """Of this process, now."""
    return _status("VmRSS")


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def growth(name: str, device: torch.device, batches: int) -> Section:
    """A thousand batches through one explainer."""
    explain = make_explainer(CamMethod.GRADCAM, TargetHook(network(name, device), input_size=SIZE)).explain
    images = normalise(batch(2, device))
    for _ in range(batches // 5):
        explain(images, None)
    before, held = resident_bytes(), _device_bytes()
    for _ in range(batches):
        explain(images, None)
    grown = (resident_bytes() - before) / MEBIBYTE
    return Section(
        f"No leak over {batches} batches",
        f"{name}, Grad-CAM of two images a batch, after {batches // 5} batches to warm up.",
        [
            Row("resident memory grown, MiB", **at_most(grown, 8, 1)),
            Row("device memory grown, bytes", str(_device_bytes() - held), "0"),
        ],
    )


def _device_bytes() -> int:
    return torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
