"""Lets children read the files of a map set: one that ends its process costs itself, and nobody else."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from app.domain.maps.sizes import FLOAT_BYTES, MOST_CELLS
from app.domain.refusals.maps import PICTURE_UNREADABLE
from app.domain.vocabulary import DeviceClass
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from worker.intake.map_images import MapImages
from worker.intake.taken_maps import TakenMaps
from worker.lifecycle.context import WorkerContext
from worker.map_files.endings import names_one, speaks_of_many
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.facts import MapFacts
from worker.wire.job_parts import ImageSize, JobSample
from worker.wire.jobs import MapsJob
from worker.wire.replies import Progress

logger = logging.getLogger(__name__)

MOST_DEATHS = 100
FILES = 1000
"""Of one job."""


@dataclass
class MapReader:
    """Of one archive, beside the maps that were ``taken`` of it so far."""

    context: WorkerContext
    digest: str
    images: MapImages
    taken: TakenMaps
    sigma: float | None
    _deaths: int = field(default=0, init=False)

    def read(self, entries: Sequence[ArchiveEntry]) -> Iterator[tuple[MapFacts, bytes]]:
        """What each file holds, in order. Raises InputFailure and TransientFailure."""
        readable = []
        for entry in entries:
            if entry.fault is not None:
                yield _lost(entry, entry.fault.detail), b""
            elif names_one(entry.name) and self._is_in_vain(entry.name):
                yield MapFacts(number=0, name=entry.name, is_in_vain=True), b""
            else:
                readable.append(entry)
        for start in range(0, len(readable), FILES):
            yield from self._survivors(readable[start : start + FILES])

    def _survivors(self, entries: Sequence[ArchiveEntry]) -> Iterator[tuple[MapFacts, bytes]]:
        """A file that ends its child is lost; another child goes on behind it."""
        done = 0
        while done < len(entries):
            detail, before = "It did not speak of all files.", done
            try:
                for found in self._in_child(entries[done:]):
                    if isinstance(found, Progress):
                        done = before + found.done
                    else:
                        yield found
            except ChildDied as death:
                if death.end is End.TOO_SLOW:  # the next may be as slow, and a hundred of them would take a day
                    detail = PICTURE_UNREADABLE.detail(what=f"{entries[done].name[-200:]!a}: {death.detail}")
                    raise InputFailure(PICTURE_UNREADABLE.code, detail[:1000]) from death
                detail = death.detail
            if done < len(entries):
                self._count(detail)
                yield _lost(entries[done], f"The process that read it was lost. {detail}"), b""
                done += 1

    def _in_child(self, entries: Sequence[ArchiveEntry]) -> Iterator[Progress | tuple[MapFacts, bytes]]:
        with self.context.children.fresh(DeviceClass.CPU) as child:
            for event in child.converse(self._job(entries), self.context.blobs):
                if not isinstance(event, Answer):
                    continue
                if isinstance(event.reply, Progress):
                    yield event.reply
                elif isinstance(event.reply, MapFacts):
                    yield _checked(event.reply, event.blob), event.blob

    def _job(self, entries: Sequence[ArchiveEntry]) -> MapsJob:
        needs_sizes = any(speaks_of_many(entry.name) for entry in entries)
        return MapsJob(
            archive_digest=self.digest,
            entries=tuple(map(JobSample.of_entry, entries)),
            sizes=self._sizes if needs_sizes else (),
            sigma=self.sigma,
            folder=self.images.folder,
            mapped=tuple(self.taken.samples()) if needs_sizes and self.images.folder is not None else (),
        )

    @cached_property
    def _sizes(self) -> tuple[ImageSize, ...]:
        """Of all samples: which of them a file speaks of, nobody knows before it is read."""
        samples = self.images.samples.by_name.values()
        return tuple(ImageSize(name=one.name, width=one.width, height=one.height) for one in samples)

    def _is_in_vain(self, name: str) -> bool:
        """Whether a map of that name is of no image, or of one of several."""
        try:
            return self.images.find(name) is None
        except KeyError:
            return True

    def _count(self, what: str) -> None:
        self._deaths += 1
        logger.warning("a file of maps ended its process: %s", what)
        if self._deaths > MOST_DEATHS:
            detail = f"Its files ended more than {MOST_DEATHS} processes that read them. {what}"
            raise InputFailure(PICTURE_UNREADABLE.code, detail)


def _checked(facts: MapFacts, content: bytes) -> MapFacts:
    """Raises ChildDied where what lies behind the facts is no such map."""
    cells = 0 if facts.crc32 is None else (facts.height or 0) * (facts.width or 0)
    if len(content) != cells * FLOAT_BYTES or cells > MOST_CELLS:
        raise ChildDied(End.CRASHED, "It sent another map than it spoke of.")
    return facts


def _lost(entry: ArchiveEntry, what: str) -> MapFacts:
    detail = PICTURE_UNREADABLE.detail(what=what)
    return MapFacts(number=0, name=entry.name, code=PICTURE_UNREADABLE.code, detail=detail[:1000])
