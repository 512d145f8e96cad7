"""Looks deep into an uploaded model: can it be read, built, run and explained?"""

from collections.abc import Iterator
from pathlib import Path

import torch

from app.storage.blobs import BlobStore
from worker.runtime.architectures import build
from worker.runtime.checkpoints import read_state_dict, write_canonical
from worker.runtime.probe import probe
from worker.runtime.speed import ModelSpeed
from worker.wire.jobs import ModelJob
from worker.wire.replies import ModelFacts, Progress, Reply


def run_model_job(job: ModelJob, device: torch.device, blobs: BlobStore) -> Iterator[tuple[Reply, bytes]]:
    """What the probe found, once the canonical file is written. Raises InputFailure."""
    with blobs.local_path(job.digest) as path:
        state_dict = read_state_dict(path, job.format)
    yield Progress(), b""
    module = build(job.architecture, state_dict)
    yield Progress(), b""
    found = probe(module, input_size=job.input_size, target_layer=job.target_layer)
    yield Progress(), b""
    write_canonical(dict(module.state_dict()), Path(job.output))
    yield Progress(), b""
    # Comes last: it moves the module to the device.
    speed = ModelSpeed.measure(module, device, input_size=job.input_size, target_layer=job.target_layer)
    yield ModelFacts.model_validate(found.to_dict() | {"speed": speed and speed.to_dict()}), b""
