"""Parts of `make gpu` about the engine in this process: its numbers, its memory, and a shortage of it."""

import torch

from benchmarks.gpu_audit import CPU, FEW_IMAGES, IMAGES, SCORES, Failed, audit
from benchmarks.memory import MEBIBYTE, resident_bytes
from worker.machine.device import keep_heap
from worker.machine.shortage import is_gpu_shortage

MAPS, FLIPPED = 1e-5, 1e-3
"""Largest difference of a map before rounding, and share of 8-bit cells that differ, GPU from CPU."""
GROWN_MEBIBYTES = 32
BATCHES = 6


def numbers(device: torch.device) -> str:
    """The engine's maps and scores against the CPU's, and its own bits twice."""
    found, again, expected = (audit(where, IMAGES)() for where in (device, device, CPU))
    clean, reference = found.clean.maps.native.cpu(), expected.clean.maps.native
    maps = float((clean - reference).abs().max())
    flipped = float(((clean * 255).to(torch.uint8) != (reference * 255).to(torch.uint8)).double().mean())
    scores = max(
        float((score.values.cpu() - expected.scores[column].values).abs().nan_to_num().max())
        for column, score in found.scores.items()
    )
    pairs = ((one.maps.native, again.observations[name].maps.native) for name, one in found.observations.items())
    same = all(torch.equal(one, other) for one, other in pairs)
    told = f"maps {maps:.1e}, 8-bit cells {flipped:.2%}, scores {scores:.1e}, same bits twice: {same}"
    if not (maps <= MAPS and flipped <= FLIPPED and scores <= SCORES and same):
        raise Failed(told)
    return told


def shortage(device: torch.device) -> str:
    """A shortage of memory is known for one, and the device serves again afterwards."""
    torch.cuda.set_per_process_memory_fraction(0.01, device)
    try:
        audit(device, IMAGES)()
    except RuntimeError as error:
        if not is_gpu_shortage(error):
            raise
    else:
        raise Failed("a hundredth of the memory was enough")
    torch.cuda.set_per_process_memory_fraction(1.0, device)
    torch.cuda.empty_cache()
    audit(device, IMAGES)()
    return "known, and over once there is memory"


def growth(device: torch.device) -> str:
    """Batch after batch of an audit leaves nothing behind, neither in the host's memory nor in the device's."""
    keep_heap()
    audited = audit(device, FEW_IMAGES)
    for _ in range(3):
        audited()
    before, held = resident_bytes(), _device_bytes(device)
    for _ in range(BATCHES):
        audited()
    grown, more = (resident_bytes() - before) / MEBIBYTE, _device_bytes(device) - held
    told = f"{BATCHES} batches: {grown:.1f} MiB of the host, {more} bytes of the device"
    if grown > GROWN_MEBIBYTES or more > 0:
        raise Failed(told)
    return told


def _device_bytes(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
