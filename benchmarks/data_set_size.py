"""Resident memory of the processes that audit, for a small and a large data set."""

import io
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import torch
from PIL import Image
from safetensors.torch import save

from app.client import Client
from app.demo.service import running_service
from benchmarks.subjects import MEAN, STD, network, photographs
from benchmarks.table import Row, Section, at_most

MEBIBYTE = 1024**2
NETWORK, SIDE, KINDS = "shufflenet_v2_x0_5", 32, 50
PROTOCOL: dict[str, Any] = {"measures": {"entropy": {}}, "micro_batch": 64}
SAMPLE_SECONDS = 0.2


def bounded(small: int, large: int) -> Section:
    """Two audits, the smaller one first, each on a service of its own."""
    peaks = [_peak(count) for count in (small, large)]
    return Section(
        "Memory against the size of the data set",
        f"{NETWORK} at {SIDE} pixels, entropy alone; the most that worker and model process held together, sampled "
        f"every {SAMPLE_SECONDS} s from the request to the results.",
        [
            Row(f"{small:,} images, MiB", f"{peaks[0]:.0f}"),
            Row(f"{large:,} images, MiB", f"{peaks[1]:.0f}"),
            Row("ratio", **at_most(peaks[1] / peaks[0], 1.1)),
        ],
    )


def _peak(count: int) -> float:
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as (url, key):
        client = Client(url, key)
        dataset = client.push_dataset(_archive(count), name=f"{count} images")
        model = client.push_model(_weights(), description=_description())
        with _watched() as peaks:
            audit = client.run_audit(dataset["id"], model_ids=[model["id"]], protocol=PROTOCOL)
            client.wait(audit["id"])
    return max(peaks) / MEBIBYTE


def _description() -> dict[str, Any]:
    preprocessing = {"input_size": SIDE, "mean": MEAN, "std": STD}
    return {"name": NETWORK, "architecture": NETWORK, "format": "safetensors", "preprocessing": preprocessing}


def _weights() -> bytes:
    state = network(NETWORK, torch.device("cpu")).state_dict()
    return save({key: value.contiguous() for key, value in state.items()})


def _archive(count: int) -> bytes:
    """A zip of ``count`` PNGs, a few photographs again and again."""
    pictures = []
    for pixels in photographs(KINDS, SIDE):
        picture = io.BytesIO()
        Image.fromarray(pixels).save(picture, "PNG")
        pictures.append(picture.getvalue())
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for number in range(count):
            file.writestr(f"{'ab'[number % 2]}/{number:06}.png", pictures[number % KINDS])
    return content.getvalue()


@contextmanager
def _watched() -> Iterator[list[int]]:
    """Resident bytes of all workers and model processes below this one, sampled until the block ends."""
    ended, found = threading.Event(), [0]

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            found.append(sum(map(_resident, psutil.Process().children(recursive=True))))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _resident(process: psutil.Process) -> int:
    """0 for what does not audit, and for what has just ended."""
    try:
        command = " ".join(process.cmdline())
        audits = "worker.celery_app" in command or "worker.child" in command
        return int(process.memory_info().rss) if audits else 0
    except psutil.NoSuchProcess:
        return 0
