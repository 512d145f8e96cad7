"""Sees whether a picture can be decoded, and what there is to say of it."""

import hashlib
from collections.abc import Sequence

import numpy as np

from app.domain.preprocessing import InputSpec
from app.errors import InputFailure
from app.imaging.decoding import decode
from app.imaging.kinds import is_misnamed
from app.settings import Settings
from worker.engine.pictures import Framed
from worker.functional.perceptual_hash import perceptual_hash
from worker.wire.jobs import JobSample, ShardJob
from worker.wire.replies import ImageFacts


def image_facts(number: int, name: str, data: bytes, settings: Settings) -> ImageFacts:
    """Of the sample of that number: what it is, or what is wrong with it."""
    try:
        decoded = decode(data, settings)
    except InputFailure as failure:
        return ImageFacts(number=number, code=failure.code, detail=failure.detail)
    return ImageFacts(
        number=number,
        width=decoded.image.width,
        height=decoded.image.height,
        first_of_several=decoded.is_first_of_several,
        perceptual_hash=perceptual_hash(decoded.image),
        sha256=hashlib.sha256(data).hexdigest(),
        misnamed=is_misnamed(name, data),
    )


class FirstLooks:
    """At those samples of a shard that nobody has looked at yet, while they are read for it."""

    def __init__(self, job: ShardJob, settings: Settings) -> None:
        self._numbers = {job.samples[number].offset: number for number in job.unexamined}
        self._known = frozenset(job.samples[number].offset for number in job.unreadable)
        self._unreadable = set(job.unreadable)
        self._settings = settings
        self._found: dict[int, ImageFacts] = {}

    def is_needless(self, sample: JobSample) -> bool:
        """Whether it is known that there is no picture."""
        return sample.offset in self._known

    def can_be_decoded(self, sample: JobSample, data: bytes) -> bool:
        """What was looked at before can be."""
        number = self._numbers.get(sample.offset)
        if number is None:
            return True
        facts = self._found[number] = image_facts(number, sample.name, data, self._settings)
        if facts.code is not None:
            self._unreadable.add(number)
        return facts.code is None

    def is_unreadable(self, number: int) -> bool:
        """Of a sample of the job that was read."""
        return number in self._unreadable

    def found(self, numbers: range) -> list[ImageFacts]:
        """Of those of the job's samples with these numbers."""
        return [self._found[number] for number in numbers if number in self._found]


def black(specs: Sequence[InputSpec]) -> Framed:
    """In the place of a picture that cannot be decoded: a batch is as long as ever, and so its other bits stay."""
    return [np.zeros((*spec.size, 3), np.uint8) for spec in specs]
