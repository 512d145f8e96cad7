"""What the sandbox of a model's process costs: the same shard in it and without, and the start of a process.

`python -m benchmarks.sandbox` prints the tables of docs/security.md.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from safetensors.torch import save

from app.domain.audits.subjects import subjects_of
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import SandboxLayer
from app.settings import Settings
from app.storage.blobs import BlobStore
from benchmarks.audits import PASSES, PROTOCOL
from benchmarks.machine import describe
from benchmarks.subjects import MEAN, SIZE, STD, archive, network
from benchmarks.table import Row, Section
from benchmarks.timing import side_by_side
from worker.archives.listing import list_entries
from worker.supervision import launch
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess
from worker.supervision.states import State
from worker.supervision.watch import processor_seconds
from worker.wire.job_parts import JobModel, JobSample
from worker.wire.jobs import ImagesJob, ShardJob

NETWORKS = {"resnet18": 4, "shufflenet_v2_x0_5": 16}
BATCH = 4  # a smaller shard would be padded to it
ROUNDS, STARTS = 7, 15


class NoSandbox:
    """Stands where the sandbox stands."""

    def __init__(self, *_: object, **__: object) -> None:
        self.missing = dict.fromkeys(SandboxLayer, "not wanted")

    def enclose(self) -> None:
        """Nothing."""

    def seal(self) -> None:
        """Nothing."""


_MAIN = "from worker.child.main import main; "
_OPEN = "import worker.child.server, benchmarks.sandbox; worker.child.server.Sandbox = benchmarks.sandbox.NoSandbox; "


@contextmanager
def started(*, sandboxed: bool) -> Iterator[Forkserver]:
    """Whose children have a sandbox, or none."""
    program = launch._PROGRAM if sandboxed else launch._PROGRAM.replace(_MAIN, _OPEN + _MAIN)  # noqa: SLF001
    with patch.object(launch, "_PROGRAM", program):
        found = Forkserver()
    yield found
    found.close()


def run(child: ChildProcess, job: ShardJob | ImagesJob, blobs: BlobStore) -> None:
    for _ in child.converse(job, blobs):
        pass


def start_and_kill(settings: Settings, forkserver: Forkserver, job: ImagesJob, blobs: BlobStore) -> None:
    """From nothing to the answer of an empty job."""
    child = ChildProcess(settings, forkserver)
    run(child, job, blobs)
    child.kill()


def shard(name: str, images: int, blobs: BlobStore) -> ShardJob:
    weights = {key: value.contiguous() for key, value in network(name, torch.device("cpu")).state_dict().items()}
    preprocessing = {"input_size": SIZE, "mean": MEAN, "std": STD}
    model = JobModel(
        digest=_put(blobs, save(weights)), architecture=name, preprocessing=preprocessing, target_layer=None
    )
    digest = _put(blobs, archive(images))
    entries = [entry for entry in list_entries(blobs, digest, Settings()).entries if not entry.is_folder]
    fields = [name for name in JobSample.model_fields if name != "label"]
    protocol = ProtocolRequest.model_validate(PROTOCOL | {"micro_batch": BATCH}).resolve()
    return ShardJob(
        protocol=protocol,
        archive_digest=digest,
        label_indices=None,
        score_classes=(0, 1),
        models=(model,),
        subjects=subjects_of(protocol, 1),
        samples=tuple(
            JobSample.model_validate({field: getattr(entry, field) for field in fields} | {"label": None})
            for entry in entries
        ),
    )


def shards(settings: Settings, blobs: BlobStore, closed: Forkserver, bare: Forkserver) -> Section:
    rows = []
    for name, images in NETWORKS.items():
        job = shard(name, images, blobs)
        behind, without = ChildProcess(settings, closed), ChildProcess(settings, bare)
        rounds = [(measured(behind, job, blobs), measured(without, job, blobs)) for _ in range(ROUNDS + 1)][1:]
        for child in (behind, without):
            child.kill()
        clock, processor = (statistics.median(one[kind] / two[kind] for one, two in rounds) for kind in (0, 1))
        seconds = [statistics.median(pair[side][0] for pair in rounds) for side in (0, 1)]
        note = f"clock: {seconds[0]:.2f} s and {seconds[1]:.2f} s; processor time: {processor:.3f}"
        rows.append(Row(f"{name}, {images} images", f"{clock:.3f}", note=note))
    method = f"The same warm shard, {PASSES} passes an image, {ROUNDS} rounds in turn; medians of the rounds' ratios."
    return Section("A shard in the sandbox / without", method, rows)


def measured(child: ChildProcess, job: ShardJob, blobs: BlobStore) -> tuple[float, float]:
    """Seconds by the clock and of the processor, for one run of the job."""
    before = processor_seconds(child.pid) if child.state is not State.REQUESTED else 0.0
    begun = time.monotonic()
    run(child, job, blobs)
    return time.monotonic() - begun, processor_seconds(child.pid) - before


def starts(settings: Settings, blobs: BlobStore, closed: Forkserver, bare: Forkserver) -> Section:
    job = ImagesJob(archive_digest=_put(blobs, archive(1)), samples=())
    timings = side_by_side(
        {
            "in the sandbox": partial(start_and_kill, settings, closed, job, blobs),
            "without": partial(start_and_kill, settings, bare, job, blobs),
        },
        STARTS,
    )
    rows = [Row(f"a fresh child, {kind}", f"{timing.median * 1e3:.0f} ms") for kind, timing in timings.items()]
    return Section("Starting", "From the wish for a child to its first answer, and its end; medians.", rows)


def _put(blobs: BlobStore, content: bytes) -> str:
    with blobs.writer(len(content)) as writer:
        writer.write(content)
        return writer.commit().digest


def main() -> None:
    print(f"Measured on {describe()}; one thread; load {os.getloadavg()[0]:.1f}\n")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(device="cpu", threads=1, blob_store=str(Path(folder) / "blobs"))
        blobs = BlobStore.from_settings(settings)
        begun = time.monotonic()
        with started(sandboxed=True) as closed:
            start_and_kill(settings, closed, ImagesJob(archive_digest=_put(blobs, archive(1)), samples=()), blobs)
            print(
                f"The process that forks children, from its start to its first child's answer: "
                f"{time.monotonic() - begun:.1f} s\n"
            )
            with started(sandboxed=False) as bare:
                for section in (shards, starts):
                    print(section(settings, blobs, closed, bare).to_markdown(), flush=True)


if __name__ == "__main__":
    main()
