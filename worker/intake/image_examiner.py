"""Lets children decode samples: an image that ends the process that decodes it costs itself, and nobody else."""

import logging
from collections.abc import Sequence

from app.db.tables import SampleRow
from app.domain.vocabulary import DeviceClass
from app.errors import InputFailure
from worker.lifecycle.context import WorkerContext
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.facts import ImageFacts
from worker.wire.job_parts import JobSample
from worker.wire.jobs import ImagesJob

logger = logging.getLogger(__name__)

MOST_DEATHS = 100


class ImageExaminer:
    """Of one archive."""

    def __init__(self, context: WorkerContext, digest: str) -> None:
        self._context = context
        self._digest = digest
        self._deaths = 0

    def examine(self, samples: Sequence[SampleRow]) -> list[ImageFacts]:
        """In the order of the samples; each batch in a fresh child. Raises InputFailure and TransientFailure.

        A batch that ends its child is halved until the sample that does it stands alone.
        """
        if not samples:
            return []
        try:
            return self._in_child(samples)
        except ChildDied as death:
            self._count(death)
            if len(samples) == 1:
                detail = f"The process that decoded the image was lost. {death.detail}"
                return [ImageFacts(number=0, code="sample-corrupt", detail=detail)]
        middle = len(samples) // 2
        return self.examine(samples[:middle]) + self.examine(samples[middle:])

    def _in_child(self, samples: Sequence[SampleRow]) -> list[ImageFacts]:
        found: dict[int, ImageFacts] = {}
        job = ImagesJob(archive_digest=self._digest, samples=tuple(map(JobSample.of, samples)))
        with self._context.children.fresh(DeviceClass.CPU) as child:
            for event in child.converse(job, self._context.blobs):
                if isinstance(event, Answer) and isinstance(event.reply, ImageFacts):
                    found[event.reply.number] = event.reply
        if found.keys() != set(range(len(samples))):
            raise ChildDied(End.CRASHED, "It did not speak of all samples.")
        return [found[number] for number in range(len(samples))]

    def _count(self, death: ChildDied) -> None:
        self._deaths += 1
        logger.warning("a batch of images ended its process: %s", death.detail)
        if self._deaths > MOST_DEATHS:
            detail = f"Its images ended more than {MOST_DEATHS} processes that decoded them. {death.detail}"
            raise InputFailure("dataset-too-many-unreadable", detail)
