"""The parts of `make gpu`: each says in a sentence what it found, or raises `Failed`."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from sqlalchemy import select

from app.db.session import make_engine, transaction
from app.db.tables import ShardRow
from app.demo.service import running_service
from app.domain.protocol import ProtocolRequest
from app.server_file import PartsFile, settings_of
from app.settings import Settings
from benchmarks.audits import AFRESH, PROTOCOL, Service
from benchmarks.decoding import decoders, jpegs, rate
from benchmarks.machine import describe
from benchmarks.memory import MEBIBYTE, resident_bytes
from benchmarks.refused_calls import refused_calls
from benchmarks.subjects import SIZE, archive, batch, network, normalise
from salience_audit import Client
from worker.child.warming import warm_up
from worker.engine.measuring import ModelAuditor, Outcome
from worker.machine.cores import core_count, decoder_count
from worker.machine.device import device_class_of, keep_heap
from worker.machine.device_class import device_class
from worker.machine.gpu_memory import driver_version, read_gpu_memory
from worker.machine.shortage import is_gpu_shortage
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.sandbox.landlock import version
from worker.sandbox.layers import Sandbox
from worker.supervision.children import Children
from worker.views.base import ImageBatch

CPU = torch.device("cpu")
IMAGES, FEW_IMAGES = 16, 2
MAPS, SCORES, FLIPPED = 1e-5, 5e-3, 1e-3
"""Largest difference of a map before rounding and of a score, and share of 8-bit cells that differ, GPU from CPU."""
GROWN_MEBIBYTES = 32
BATCHES = 6
CONTEXT_BYTES = 100 * MEBIBYTE
"""Of a GPU, for a process that uses it: less than any context takes."""
SECONDS_TO_GIVE_BACK = 10.0
MOST_AUDITS = 30
PICTURES_A_SECOND, MANY_CORES = 500, 16
"""Two-megapixel JPEGs that so many cores decode beside a GPU."""


class Failed(Exception):
    """A part did not hold what it should."""


def facts(device: torch.device) -> str:
    """What it is, and that parent, child, torch and NVML speak of the same device."""
    if device_class(str(device)) is not device_class_of(device):
        raise Failed(f"the driver finds a {device_class('auto')}, torch a {device_class_of(device)}")
    if device.type != "cuda":
        return describe()
    free, total = torch.cuda.mem_get_info(device)
    seen = read_gpu_memory(os.environ.get("CUDA_VISIBLE_DEVICES"))
    if seen is None or abs(seen.total_bytes - total) > total / 10:
        raise Failed(f"NVML says {seen}, torch {total} bytes")
    landlock = f"driver {driver_version()}, Landlock {version()}"
    return f"{describe()} {landlock}, {free >> 20} of {total >> 20} MiB free."


def tests(_: torch.device) -> str:
    """Of the paths of a GPU that need none: they hold here too."""
    subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/machine"], check=True)
    return "tests/machine"


def numbers(device: torch.device) -> str:
    """The engine's maps and scores against the CPU's, and its own bits twice."""
    found, again, expected = (_audit(where, IMAGES)() for where in (device, device, CPU))
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


def walls(device: torch.device) -> str:
    """A batch behind the walls of a GPU's child, which tell what they refuse; and whether Landlock may come first."""

    def prepare(*, landlock_first: bool) -> Callable[[], None]:
        sandbox = Sandbox(Path("/nowhere"), MEBIBYTE, None, gpu=True, allowed=frozenset())
        on_cpu = _audit(CPU, FEW_IMAGES)  # photographs and networks are read before anything is closed
        (sandbox.enclose if landlock_first else sandbox.give_up_privileges)()
        warm_up(device, 0.5)
        if not landlock_first:
            sandbox.enclose()
        audited = on_cpu if device.type == "cpu" else _audit(device, FEW_IMAGES)

        def run() -> None:
            audited()

        return run

    refused, status = refused_calls(partial(prepare, landlock_first=False))
    told = ", ".join(f"{name} ({count})" for name, count in sorted(refused.items())) or "nothing"
    if status:
        raise Failed(f"it ended with status {status}; refused were {told}")
    _, status = refused_calls(partial(prepare, landlock_first=True))
    return f"refused: {told}; with Landlock before the driver: {'as well' if status == 0 else f'status {status}'}"


def shortage(device: torch.device) -> str:
    """A shortage of memory is known for one, and the device serves again afterwards."""
    torch.cuda.set_per_process_memory_fraction(0.01, device)
    try:
        _audit(device, IMAGES)()
    except RuntimeError as error:
        if not is_gpu_shortage(error):
            raise
    else:
        raise Failed("a hundredth of the memory was enough")
    torch.cuda.set_per_process_memory_fraction(1.0, device)
    torch.cuda.empty_cache()
    _audit(device, IMAGES)()
    return "known, and over once there is memory"


def growth(device: torch.device) -> str:
    """Batch after batch of an audit leaves nothing behind, neither in the host's memory nor in the device's."""
    keep_heap()
    audit = _audit(device, FEW_IMAGES)
    for _ in range(3):
        audit()
    before, held = resident_bytes(), _device_bytes(device)
    for _ in range(BATCHES):
        audit()
    grown, more = (resident_bytes() - before) / MEBIBYTE, _device_bytes(device) - held
    told = f"{BATCHES} batches: {grown:.1f} MiB of the host, {more} bytes of the device"
    if grown > GROWN_MEBIBYTES or more > 0:
        raise Failed(told)
    return told


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


def jpeg(device: torch.device) -> str:
    """Two-megapixel photographs decoded by as many processes as a child has beside this device."""
    cores = core_count(0)
    count = max(1, decoder_count(None, cores, device_class_of(device)))
    with decoders(count) as remote:
        found = rate(jpegs(2), remote)
    told = f"{found:.0f} photographs of two megapixels a second by {count} decoders on {cores} cores"
    if device.type != "cpu" and cores >= MANY_CORES and found < PICTURES_A_SECOND:
        raise Failed(f"{told}, asked for are {PICTURES_A_SECOND}")
    return told


def speed(_: torch.device) -> str:
    """The benchmark's own form for a GPU, which prints its tables: whole audits among them."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--form", "gpu"], stdout=subprocess.PIPE, text=True, check=True
    )
    print(done.stdout)
    if "(missed)" in done.stdout:
        raise Failed("a target was missed: see the tables above")
    return "see the tables above"


def _audit(device: torch.device, count: int) -> Callable[[], Outcome]:
    """Of one batch of so many images by a network on the device."""
    protocol = ProtocolRequest.model_validate(PROTOCOL | {"micro_batch": count}).resolve()
    explainer = make_explainer(protocol.salience.method, TargetHook(network("resnet18", device), input_size=SIZE))
    names = tuple(f"{number}.png" for number in range(count))
    pixels, truth = batch(count, CPU), torch.zeros(count, dtype=torch.int64)
    auditor = ModelAuditor(explainer, normalise, protocol, (0, 1), device)
    # A batch keeps what views made of it.
    return lambda: auditor.audit(ImageBatch(pixels, names), truth)


def _furnished(client: Client) -> Service:
    dataset = client.push_dataset(archive(IMAGES), name="photographs")
    return Service(client, dataset["id"], IMAGES)


def _device_bytes(device: torch.device) -> int:
    return torch.cuda.memory_allocated(device) if device.type == "cuda" else 0


def _used_bytes(visible: str | None) -> int:
    found = read_gpu_memory(visible)
    if found is None:
        raise Failed("NVML finds no device")
    return found.used_bytes
