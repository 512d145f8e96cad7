"""Resident memory of the processes that audit, for a small and a large data set.

``python -m benchmarks.data_set_size`` runs this part alone, in half an hour or so.
"""

import argparse
import io
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import torch
from PIL import Image
from safetensors.torch import save

from app.demo.service import running_service
from benchmarks.subjects import MEAN, STD, network, photographs
from benchmarks.table import Row, Section, at_most
from salience_audit import Client

MEBIBYTE = 1024**2
NETWORK, SIDE, KINDS = "shufflenet_v2_x0_5", 32, 50
PROTOCOL: dict[str, Any] = {"measures": {"entropy": {}}, "micro_batch": 64}
SAMPLE_SECONDS = 0.2
# By what their command line holds.
ROLES = {"API": "serve --only api", "worker": "worker.lifecycle.celery_app", "model process": "worker.child"}

Peaks = dict[str, float]


def bounded(small: int, large: int) -> Section:
    """Two audits, the smaller one first, each on a service of its own."""
    few, many = (_peak(count) for count in (small, large))
    return Section(
        "Memory against the size of the data set",
        f"{NETWORK} at {SIDE} pixels, entropy alone; the most that each kind of process held, in MiB, sampled every "
        f"{SAMPLE_SECONDS} s from the request to the results: {small:,} images, then {large:,}.",
        [
            Row(
                f"{role}, {small:,} / {large:,} images",
                f"{few[role]:.0f} / {many[role]:.0f}",
                note=_grown(few, many, role),
            )
            for role in ROLES
        ]
        + [Row("all together, ratio", **at_most(sum(many.values()) / sum(few.values()), 1.1))],
    )


def _grown(few: Peaks, many: Peaks, role: str) -> str:
    return f"{many[role] / few[role] - 1:+.0%}"


def _peak(count: int) -> Peaks:
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder)) as (url, key):
        client = Client(url, key)
        dataset = client.push_dataset(_archive(count), name=f"{count} images")
        model = client.push_model(_weights(), description=_description())
        with watched() as peaks:
            audit = client.run_audit(dataset["id"], model_ids=[model["id"]], protocol=PROTOCOL)
            client.wait(audit["id"])
    return {role: peak / MEBIBYTE for role, peak in peaks.items()}


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
def watched() -> Iterator[dict[str, int]]:
    """The most resident bytes of each role among the processes below this one, sampled until the block ends."""
    ended, found = threading.Event(), dict.fromkeys(ROLES, 0)

    def sample() -> None:
        while not ended.wait(SAMPLE_SECONDS):
            for role, held in _resident().items():
                found[role] = max(found[role], held)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


def _resident() -> dict[str, int]:
    """Bytes of each role now; several processes of one role are added up."""
    held = dict.fromkeys(ROLES, 0)
    for process in psutil.Process().children(recursive=True):
        # What has just ended holds nothing.
        with suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            for role, sign in ROLES.items():
                held[role] += process.memory_info().rss if sign in command else 0
    return held


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--small", type=int, default=1000)
    options.add_argument("--large", type=int, default=100_000)
    print(bounded(**vars(options.parse_args())).to_markdown())
