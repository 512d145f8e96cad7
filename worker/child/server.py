"""The child's loop: a job in, replies out."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import torch

from app.domain.vocabulary import ModelFormat
from app.observability.log_context import bound
from app.settings import Settings
from worker.child.decoders import RemoteDecoder, fork_decoders
from worker.child.failures import failed
from worker.child.images_job import run_images_job
from worker.child.inputs import JobInputs
from worker.child.log import log_to
from worker.child.maps_job import run_maps_job
from worker.child.model_job import run_model_job
from worker.child.reference_job import run_reference_job
from worker.child.shard_job import run_shard_job
from worker.child.table_job import run_table_job
from worker.child.views_job import run_views_job
from worker.child.warming import warm_up
from worker.machine.device import device_class_of, keep_heap, pick_device, use_threads
from worker.salience.signs_of_life import telling
from worker.sandbox.layers import LayerMissing, Sandbox
from worker.weights.cache import ModelCache
from worker.wire.channel import Channel, ChannelClosed, Frame
from worker.wire.jobs import JOB, AnyJob, ImagesJob, MapsJob, ModelJob, ReferenceJob, ShardJob, TableJob, ViewsJob
from worker.wire.replies import Alive, Done, Failed, Ready, Reply
from worker.wire.start import Start

logger = logging.getLogger(__name__)

_ALIVE_SECONDS = 5.0


@dataclass(frozen=True)
class Tools:
    """What the child keeps from job to job."""

    settings: Settings
    device: torch.device
    decoders: tuple[RemoteDecoder, ...] = ()
    models: ModelCache = field(default_factory=ModelCache)


def serve(channel: Channel, start: Start) -> int:
    """Until the parent closes the channel; returns the exit status."""
    try:
        tools = _prepare(channel, start)
        while True:
            frame = channel.receive()
            if frame is not None:
                _answer(channel, tools, frame)
    except LayerMissing as error:
        channel.send(Failed(failure="sandbox", code="sandbox-unavailable", detail=str(error)[:300]))
        return 1
    except ChannelClosed:
        return 0


def _prepare(channel: Channel, start: Start) -> Tools:
    """Everything is imported by now. What a GPU's driver needs is opened before the sandbox, a CPU's threads in it."""
    settings = start.to_settings()
    # Before anything has begun a thread, or a GPU's driver, of which a fork would be broken.
    decoders = fork_decoders(start, settings, [channel])
    log_to(channel, settings.log_level)
    keep_heap()
    device = pick_device(settings.device)
    gpu = device.type != "cpu"
    memory = None if gpu else start.memory_bytes
    sandbox = Sandbox(start.scratch, start.file_bytes, memory, gpu=gpu, allowed=start.allowed_missing)
    if gpu:
        sandbox.give_up_privileges()
        warm_up(device, start.gpu_memory_share)
    sandbox.enclose()
    use_threads(settings.threads)
    if not gpu:
        warm_up(device, start.gpu_memory_share)
    sandbox.seal()
    for decoder in decoders:
        decoder.wait()
    missing, pids = tuple(sandbox.missing), tuple(decoder.pid for decoder in decoders)
    channel.send(Ready(missing=missing, device_class=device_class_of(device), decoders=pids))
    return Tools(settings, device, decoders)


def _answer(channel: Channel, tools: Tools, frame: Frame) -> None:
    job = JOB.validate_json(frame.body)
    with bound(**job.log_ids):
        logger.debug("a job begins: %s", job.kind)
        channel.send(_outcome(channel, tools, job, JobInputs(job.inputs, frame.descriptors)))


def _outcome(channel: Channel, tools: Tools, job: AnyJob, inputs: JobInputs) -> Done | Failed:
    """The last reply; the parent stops this process as soon as it has it."""
    try:
        with telling(_now_and_then(lambda: channel.send(Alive()))):
            for reply, blob in _run(tools, job, inputs):
                channel.send(reply, blob)
    except ChannelClosed:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        return failed(error)
    else:
        return Done()
    finally:
        inputs.close()
        if tools.device.type != "cpu":
            _empty_cache()


def _now_and_then(tell: Callable[[], None]) -> Callable[[], None]:
    """Not more often than every few seconds."""
    told = time.monotonic()

    def maybe() -> None:
        nonlocal told
        if time.monotonic() - told > _ALIVE_SECONDS:
            tell()
            told = time.monotonic()

    return maybe


def _empty_cache() -> None:
    """Kept, it would be missing to the next child. A device that has failed says so again, which is told already."""
    with suppress(RuntimeError):
        torch.cuda.empty_cache()


def _run(tools: Tools, job: AnyJob, inputs: JobInputs) -> Iterator[tuple[Reply, bytes]]:
    if isinstance(job, ShardJob):
        return run_shard_job(job, tools.settings, inputs, tools.models, tools.decoders)
    if isinstance(job, ModelJob):
        return _run_model(job, tools, inputs)
    if isinstance(job, ViewsJob):
        return run_views_job(job, tools.settings, inputs, tools.models)
    if isinstance(job, ReferenceJob):
        return run_reference_job(job, tools.settings, inputs, tools.models)
    return _read_upload(job, tools, inputs)


def _read_upload(job: ImagesJob | TableJob | MapsJob, tools: Tools, inputs: JobInputs) -> Iterator[tuple[Reply, bytes]]:
    """Files that somebody sent, without any network."""
    if isinstance(job, ImagesJob):
        return run_images_job(job, tools.settings, inputs)
    if isinstance(job, TableJob):
        return run_table_job(job, tools.settings, inputs)
    return run_maps_job(job, tools.settings, inputs)


def _run_model(job: ModelJob, tools: Tools, inputs: JobInputs) -> Iterator[tuple[Reply, bytes]]:
    if job.format is ModelFormat.ONNX:
        # Costs a quarter of a second and 26 MB, which most children never need.
        from worker.child.graph_job import run_graph_job  # noqa: PLC0415

        return run_graph_job(job, tools.device, inputs)
    return run_model_job(job, tools.device, inputs)
