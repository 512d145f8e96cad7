"""`python -m benchmarks.workers`: an audit by one worker and by four on this machine.

Two services run side by side, each idle while the other has an audit: in the first one worker has all cores, in the
second four have ``--threads`` each. Every round begins with the other one. Processor seconds are those of all processes
of the service: unlike the time on the wall, they say little about what else runs on the machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil

from app.demo.service import running_service
from app.server_file import PartsFile
from benchmarks.audits import AFRESH, PROTOCOL, Service
from benchmarks.machine import describe
from benchmarks.subjects import archive
from benchmarks.table import Row, Section, at_most
from salience_audit import Client
from worker.machine.device import keep_heap, use_threads

WORKERS = 4


@dataclass
class Crew:
    """A service with one data set and one model, its processes, and what its audits took."""

    service: Service
    model_id: str
    processes: list[psutil.Process]
    seeds: Iterator[int] = field(default_factory=lambda: count(1))
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)

    def audit(self, *, keep: bool = True) -> None:
        before = self._processor_seconds()
        seconds = self.service.audit(self.model_id, next(self.seeds))
        if keep:
            self.seconds.append(seconds)
            self.processor_seconds.append(self._processor_seconds() - before)

    def _processor_seconds(self) -> float:
        everybody = {process for root in self.processes for process in (root, *root.children(recursive=True))}
        return sum(times.user + times.system for times in (process.cpu_times() for process in everybody))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--images", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    use_threads(0)
    keep_heap()
    print(f"Measured on {describe()} Load before the start: {os.getloadavg()[0]:.1f}.\n")
    one_worker, four_workers = _crew(options, 1, 0), _crew(options, WORKERS, options.threads)
    with one_worker as one, four_workers as four:
        print(_sharing(one, four, options).to_markdown(), flush=True)


def _sharing(one: Crew, four: Crew, options: argparse.Namespace) -> Section:
    for crew in (one, four):
        crew.audit(keep=False)  # loads the model in every child
    for number in range(options.rounds):
        for crew in (one, four) if number % 2 else (four, one):
            crew.audit()
    ratios = [after / before for before, after in zip(one.seconds, four.seconds, strict=True)]
    costs = [after / before for before, after in zip(one.processor_seconds, four.processor_seconds, strict=True)]
    rows = [
        Row("one worker, s", f"{statistics.median(one.seconds):.2f}", note=_list(one.seconds)),
        Row(f"{WORKERS} workers, s", f"{statistics.median(four.seconds):.2f}", note=_list(four.seconds)),
        Row("four / one, wall", **at_most(statistics.median(ratios), 1), note=_list(ratios)),
        Row("four / one, processor seconds", f"{statistics.median(costs):.2f}", note=_list(costs)),
    ]
    method = (
        f"{options.model}, {options.images} PNGs, from the request to the results, {options.rounds} interleaved rounds "
        f"after one to load the model, medians; one worker with all cores, four with {options.threads} thread each; "
        f"protocol {', '.join(PROTOCOL['measures'])}. Load at the end: {os.getloadavg()[0]:.1f}."
    )
    return Section("One audit by one worker and by four", method, rows)


@contextmanager
def _crew(options: argparse.Namespace, workers: int, threads: int) -> Iterator[Crew]:
    settings = AFRESH | {"THREADS": str(threads)}
    with tempfile.TemporaryDirectory() as name, running_service(Path(name), settings) as (url, key):
        client = Client(url, key)
        dataset = client.push_dataset(archive(options.images), name="photographs")
        service = Service(client, dataset["id"], options.images)
        environment = os.environ | PartsFile(Path(name)).read() | settings
        command = [sys.executable, "-m", "app.cli", "worker"]
        more = [subprocess.Popen(command, env=environment) for _ in range(workers - 1)]
        try:
            processes = [_started_for(name), *map(_process, more)]
            yield Crew(service, service.upload(options.model), processes)
        finally:
            for worker in more:
                worker.terminate()
            for worker in more:
                worker.wait()


def _process(started: "subprocess.Popen[bytes]") -> psutil.Process:
    return psutil.Process(started.pid)


def _started_for(folder: str) -> psutil.Process:
    """The supervisor of the service whose data lies there."""
    return next(child for child in psutil.Process().children() if folder in child.cmdline())


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    main()
