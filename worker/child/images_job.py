"""Decodes samples of a data set, to see whether that can be done; their pixels are thrown away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from app.errors import InputFailure
from app.imaging.entries import entry_of, read_entry
from app.settings import Settings
from worker.engine.first_look import look_at
from worker.machine.device import use_threads
from worker.wire.contents import Inputs
from worker.wire.facts import ImageFacts
from worker.wire.job_parts import JobSample
from worker.wire.jobs import ImagesJob
from worker.wire.replies import Progress, Reply

# The largest images that are allowed take half a gigabyte each while they are decoded.
MOST_THREADS = 4
PART = 64


def run_images_job(job: ImagesJob, settings: Settings, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """What there is to say of each, in order."""
    context = copy_context()
    with ThreadPoolExecutor(min(use_threads(settings.threads), MOST_THREADS), thread_name_prefix="decode") as pool:
        for start in range(0, len(job.samples), PART):
            part = range(start, min(start + PART, len(job.samples)))
            found = pool.map(
                lambda number: context.copy().run(_look, number, job.samples[number], job, settings, inputs), part
            )
            yield from ((facts, b"") for facts in found)
            yield Progress(done=part.stop), b""


def _look(number: int, sample: JobSample, job: ImagesJob, settings: Settings, inputs: Inputs) -> ImageFacts:
    try:
        data = read_entry(inputs, job.archive_digest, entry_of(sample), settings.max_entry_bytes)
    except InputFailure as failure:
        return ImageFacts(number=number, code=failure.code, detail=failure.detail)
    facts, _ = look_at(number, sample.name, data, settings)
    return facts
