"""Parts of `make gpu` about the processes in which models run: their walls, and what is left of them when they are
killed."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

from app.settings import Settings
from benchmarks.gpu_audit import CPU, FEW_IMAGES, Failed, audit
from benchmarks.memory import MEBIBYTE
from benchmarks.refused_calls import refused_calls
from worker.child.warming import warm_up
from worker.machine.gpu_memory import read_gpu_memory
from worker.sandbox.layers import Sandbox
from worker.supervision.children import Children

CONTEXT_BYTES = 100 * MEBIBYTE
"""Of a GPU, for a process that uses it: less than any context takes."""
SECONDS_TO_GIVE_BACK = 10.0


def walls(device: torch.device) -> str:
    """A batch behind the walls of a GPU's child, which tell what they refuse; and whether Landlock may come first."""

    def prepare(*, landlock_first: bool) -> Callable[[], None]:
        sandbox = Sandbox(Path("/nowhere"), MEBIBYTE, None, gpu=True, allowed=frozenset())
        on_cpu = audit(CPU, FEW_IMAGES)  # photographs and networks are read before anything is closed
        (sandbox.enclose if landlock_first else sandbox.give_up_privileges)()
        warm_up(device, 0.5)
        if not landlock_first:
            sandbox.enclose()
        audited = on_cpu if device.type == "cpu" else audit(device, FEW_IMAGES)

        def run() -> None:
            audited()

        return run

    refused, status = refused_calls(partial(prepare, landlock_first=False))
    told = ", ".join(f"{name} ({count})" for name, count in sorted(refused.items())) or "nothing"
    if status:
        raise Failed(f"it ended with status {status}; refused were {told}")
    _, status = refused_calls(partial(prepare, landlock_first=True))
    return f"refused: {told}; with Landlock before the driver: {'as well' if status == 0 else f'status {status}'}"


def killed(device: torch.device) -> str:
    """What a model's process holds of the device comes back when it is killed."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    before = _used_bytes(visible)
    children = Children(Settings(device=str(device)))
    try:
        with children.fresh() as child:
            child.start()
            taken = _used_bytes(visible) - before
        deadline = time.monotonic() + SECONDS_TO_GIVE_BACK
        while (left := _used_bytes(visible) - before) > taken // 10 and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        children.close()
    told = f"{taken >> 20} MiB taken, {left >> 20} MiB left"
    if taken < CONTEXT_BYTES or left > taken // 10:
        raise Failed(told)
    return told


def _used_bytes(visible: str | None) -> int:
    found = read_gpu_memory(visible)
    if found is None:
        raise Failed("NVML finds no device")
    return found.used_bytes
