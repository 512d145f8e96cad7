"""Parts of `make gpu` about whole audits through the API, by one worker and by two."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from sqlalchemy import select

from app.db.session import make_engine, transaction
from app.db.tables import ShardRow
from app.demo.service import running_service
from app.server_file import PartsFile, settings_of
from benchmarks.audits import AFRESH, Service
from benchmarks.gpu_audit import IMAGES, Failed
from benchmarks.subjects import archive
from salience_audit import Client

MOST_AUDITS = 30


def service(device: torch.device) -> str:
    """An audit through the API, in the sandboxed child, on the class of the device."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder), AFRESH | {"DEVICE": str(device)}) as (url, key),
    ):
        running = _furnished(Client(url, key))
        seconds = running.audit(running.upload("resnet18"), 1)
        (audited,) = running.client.audits()
        wanted = "cpu" if device.type == "cpu" else "gpu"
        if audited["device_class"] != wanted:
            raise Failed(f"it ran on {audited['device_class']}")
        return f"{IMAGES} images in {seconds:.1f} s"


def together(device: torch.device) -> str:
    """Two workers on one device: audits in which both take part have the same results."""
    settings = AFRESH | {"DEVICE": str(device), "SHARD_SAMPLES": "2", "CHILD_GPU_MEMORY_SHARE": "0.45", "THREADS": "1"}
    with tempfile.TemporaryDirectory() as name, running_service(Path(name), settings) as (url, key):
        environment = os.environ | PartsFile(Path(name)).read() | settings
        second = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "worker"], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            running = _furnished(Client(url, key))
            workers, found = _until_two_work(running, running.upload("resnet18"), Path(name))
        finally:
            second.terminate()
            second.wait()
    told = f"{workers} workers, {len(found)} audits with the same results: {found.count(found[0]) == len(found)}"
    if workers < 2 or found.count(found[0]) < len(found):
        raise Failed(told)
    return told


def _until_two_work(running: Service, model_id: str, data: Path) -> tuple[int, list[Any]]:
    """How many workers have run shards, and what audits found: two, and as many more as the second needs to come."""
    protocol = {"measures": {"entropy": {}, "noise_reaction": {"curve": []}}, "micro_batch": 2}
    engine, found, workers = make_engine(settings_of(data).database_url), list[Any](), set[str | None]()
    while len(found) < 2 or (len(workers) < 2 and len(found) < MOST_AUDITS):
        audit = running.client.run_audit(running.dataset_id, model_ids=[model_id], protocol=protocol)
        running.client.wait(audit["id"])
        found.append(running.client.results(audit["id"])["summaries"])
        with transaction(engine) as session:
            workers = set(session.scalars(select(ShardRow.worker)))
    engine.dispose()
    return len(workers), found


def _furnished(client: Client) -> Service:
    dataset = client.push_dataset(archive(IMAGES), name="photographs")
    return Service(client, dataset["id"], IMAGES)
