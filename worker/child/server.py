"""The child's loop: a job in, replies out."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.observability.log_context import bound
from app.observability.logs import configure_logging
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.child.failures import failed
from worker.child.memory import limit_data
from worker.child.model_job import run_model_job
from worker.child.shard_job import run_shard_job
from worker.runtime.device import keep_heap, pick_device, use_threads
from worker.runtime.model_cache import ModelCache
from worker.wire.channel import Channel, ChannelClosed
from worker.wire.jobs import JOB, ModelJob, ShardJob, Start
from worker.wire.replies import Done, Ready, Reply

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """What the child keeps from job to job. ``blobs`` is its only way to the blob store."""

    settings: Settings
    blobs: BlobStore
    models: ModelCache = field(default_factory=ModelCache)


def serve(channel: Channel) -> int:
    """Until the parent closes the channel; returns the exit status."""
    try:
        tools = _start(channel)
        channel.send(Ready())
        while True:
            frame = channel.receive()
            if frame is not None:
                _answer(channel, tools, JOB.validate_json(frame.body))
    except ChannelClosed:
        return 0


def _start(channel: Channel) -> Tools:
    frame = channel.receive()
    if frame is None:
        raise ChannelClosed("no settings came")
    start = Start.model_validate_json(frame.body)
    settings = start.to_settings()
    configure_logging(settings)
    keep_heap()
    use_threads(settings.threads)
    if pick_device(settings.device).type == "cpu":
        limit_data(start.memory_bytes)
    return Tools(settings, BlobStore.from_settings(settings))


def _answer(channel: Channel, tools: Tools, job: ShardJob | ModelJob) -> None:
    with bound(**job.log_ids):
        try:
            logger.debug("a job begins: %s", job.kind)
            for reply, blob in _run(tools, job):
                channel.send(reply, blob)
            channel.send(Done())
        except ChannelClosed:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
            channel.send(failed(error))


def _run(tools: Tools, job: ShardJob | ModelJob) -> Iterator[tuple[Reply, bytes]]:
    if isinstance(job, ShardJob):
        return run_shard_job(job, tools.settings, tools.blobs, tools.models)
    return run_model_job(job, pick_device(tools.settings.device), tools.blobs)
