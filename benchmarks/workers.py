"""`python -m benchmarks.workers`: one audit by one worker and by four on the same machine, end to end, in turns.

Workers beside the first are started against the same database, broker and blobs, and nothing else is told to anybody.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.demo.client import DemoClient
from app.demo.service import running_service
from app.server_file import PartsFile
from benchmarks.audits import AFRESH, Service
from benchmarks.machine import describe
from benchmarks.subjects import archive
from benchmarks.table import Row, Section, at_most
from benchmarks.timing import timed

IMAGES, ROUNDS, MORE = 128, 3, 3
NETWORK = "resnet18"
WARM_SECONDS = 20.0


def scaling() -> Section:
    """Seconds of whole audits; each count of workers is warmed up by an audit of its own."""
    found: dict[int, list[float]] = {1: [], 1 + MORE: []}
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), AFRESH) as (url, key):
        client = DemoClient(url, key)
        dataset = client.upload("datasets", {"name": "photographs"}, archive(IMAGES))
        service = Service(client, dataset["id"], IMAGES)
        model_id = service.upload(NETWORK)
        service.audit(model_id, 0)
        for number in range(ROUNDS):
            found[1].append(timed(partial(service.audit, model_id, 1 + 2 * number)))
            with _more_workers(Path(folder)):
                service.audit(model_id, 100 + number)
                found[1 + MORE].append(timed(partial(service.audit, model_id, 2 + 2 * number)))
    one, four = (statistics.median(seconds) for seconds in found.values())
    rows = [
        *(Row(f"{count} worker{'s' * (count > 1)}", f"{_listed(seconds)} s") for count, seconds in found.items()),
        Row("4 workers / 1 worker, time", **at_most(four / one, 1)),
    ]
    return Section("One audit, one worker or four", f"{NETWORK}, {IMAGES} images, {ROUNDS} rounds in turn.", rows)


@contextmanager
def _more_workers(data: Path) -> Iterator[None]:
    environment = os.environ | PartsFile(data).read() | AFRESH
    command = [sys.executable, "-m", "app.cli", "worker"]
    workers = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(MORE)]
    time.sleep(WARM_SECONDS)
    try:
        yield
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)


if __name__ == "__main__":
    sys.stdout.write(f"Measured on {describe()}\n\n{scaling().to_markdown()}")
