"""Sees whether a picture can be decoded, and what there is to say of it."""

import hashlib
from collections.abc import Sequence

import numpy as np
from PIL.Image import Image

from app.domain.models.input_spec import InputSpec, PixelReading
from app.errors import InputFailure
from app.imaging.decoding import decode
from app.imaging.kinds import is_misnamed
from app.imaging.pictures import Framed, framed
from app.settings import Settings
from worker.functional.perceptual_hash import perceptual_hash
from worker.wire.facts import ImageFacts
from worker.wire.job_parts import JobSample
from worker.wire.jobs import ShardJob

AS_SEEN = PixelReading()


def look_at(number: int, name: str, data: bytes, settings: Settings) -> tuple[ImageFacts, Image | None]:
    """What the sample of that number is, and its picture in mode RGB; or what is wrong with it."""
    try:
        decoded = decode(data, settings, reading=AS_SEEN)
    except InputFailure as failure:
        return ImageFacts(number=number, code=failure.code, detail=failure.detail), None
    facts = ImageFacts(
        number=number,
        width=decoded.image.width,
        height=decoded.image.height,
        first_of_several=decoded.is_first_of_several,
        perceptual_hash=perceptual_hash(decoded.image),
        sha256=hashlib.sha256(data).hexdigest(),
        misnamed=is_misnamed(name, data),
    )
    return facts, decoded.image


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

    def framed(self, sample: JobSample, data: bytes, specs: Sequence[InputSpec]) -> Framed | None:
        """What models see of a sample that is looked at now; None of one that was before, or that is read otherwise."""
        number = self._numbers.get(sample.offset)
        if number is None:
            return None
        self._found[number], image = look_at(number, sample.name, data, self._settings)
        if image is None:
            self._unreadable.add(number)
            return black(specs)
        return framed({AS_SEEN: image}, specs) if {spec.reading for spec in specs} == {AS_SEEN} else None

    def is_unreadable(self, number: int) -> bool:
        """Of a sample of the job that was read."""
        return number in self._unreadable

    def found(self, numbers: range) -> list[ImageFacts]:
        """Of those of the job's samples with these numbers."""
        return [self._found[number] for number in numbers if number in self._found]


def black(specs: Sequence[InputSpec]) -> Framed:
    """In the place of a picture that cannot be decoded: a batch is as long as ever, and so its other bits stay."""
    return [np.zeros((*spec.size, 3), np.uint8) for spec in specs]
