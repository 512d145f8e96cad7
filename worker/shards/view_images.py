"""An archive of an audit's changed images: children make them, part by part; this writes them down."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.db.session import transaction
from app.db.tables import SampleRow, ViewArchiveRow
from app.domain.audits.changed_images import (
    MANIFESTS,
    ManifestLine,
    Needs,
    Origin,
    Shown,
    handed_out,
    image_path,
    made_by,
)
from app.domain.measures import EQUIVARIANCE
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import DeviceClass, SampleStatus
from app.errors import InputFailure
from app.results.inputs import AuditedSubject, AuditInputs, GivenSubject, changed_for, seen_by
from app.storage.writing import StoredBlob
from worker.archives.zip_writer import ZipWriter
from worker.lifecycle.context import WorkerContext
from worker.shards.followed_maps import FollowedMaps
from worker.shards.listed_samples import contents_of
from worker.shards.request import job_tables
from worker.shards.store import read_inputs, read_samples
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.supervision.process import ChildProcess
from worker.wire.facts import ChangedImage
from worker.wire.job_parts import JobModel, JobSample
from worker.wire.jobs import ViewsJob

PART = 64
"""Samples of a job."""


@dataclass(frozen=True)
class ViewImages:
    """The images of one archive; ``keep`` is called again and again while they are made."""

    context: WorkerContext
    archive: ViewArchiveRow
    inputs: AuditInputs
    keep: Callable[[], None]

    @classmethod
    def of(cls, context: WorkerContext, archive: ViewArchiveRow, keep: Callable[[], None]) -> "ViewImages":
        with transaction(context.engine) as session:
            return cls(context, archive, read_inputs(session, archive.audit_id), keep)

    def write(self) -> StoredBlob:
        """Raises InputFailure where an image or a map is gone, and what a child may end with."""
        with (
            self.context.blobs.writer(self.archive.size) as writer,
            self.context.children.fresh(DeviceClass.CPU) as child,
        ):
            with ZipWriter(writer.write) as archive:
                archive.add(MANIFESTS[self.archive.needs], b"".join(map(self._manifest, self._parts())))
                for samples in filter(None, self._parts()):
                    for path, content in self._images(child, samples):
                        archive.add(path, content)
            return writer.commit()

    def _parts(self) -> Iterator[list[SampleRow]]:
        audit = self.inputs.audit
        for start in range(0, audit.sample_count, PART):
            with transaction(self.context.engine) as session:
                samples = read_samples(session, audit, start, min(start + PART, audit.sample_count))
            # Of a listing some may have turned out to be no pictures.
            yield [sample for sample in samples if sample.status != SampleStatus.UNREADABLE]

    @property
    def _preprocessing(self) -> Preprocessing:
        """How the images are made that the subject looks at. Raises InputFailure where nobody says that any more."""
        subject = self._subject
        if subject.model is not None:
            return Preprocessing.of(subject.model.preprocessing)
        seen = seen_by(self.inputs.models, [subject.map_set])
        if seen is None:
            raise InputFailure("input-size-required", "The map set says of no image size.")
        return seen

    @property
    def _subject(self) -> AuditedSubject | GivenSubject:
        return self.inputs.subjects[self.archive.model_ordinal]

    @property
    def _clean_maps(self) -> FollowedMaps:
        return FollowedMaps(self.context, self.inputs, self.archive.model_ordinal)

    @property
    def _views(self) -> tuple[str, ...]:
        return handed_out(changed_for(self._subject), self.archive.needs)

    def _manifest(self, samples: Sequence[SampleRow]) -> bytes:
        lines = (line.model_dump(mode="json") for line in self._lines(samples))
        return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()

    def _lines(self, samples: Sequence[SampleRow]) -> list[ManifestLine]:
        """One an image, sample by sample. Raises InputFailure where a clean map is gone."""
        made = made_by(self.inputs.protocol, self._preprocessing.spec)
        origin, followed = Origin(made, self.inputs.dataset.digest or ""), self._followed(samples)
        return [
            ManifestLine.of(Shown(view, sample.position or 0, sample.name, sample.label), origin, followed.get(number))
            for number, sample in enumerate(samples)
            for view in self._views
        ]

    def _followed(self, samples: Sequence[SampleRow]) -> dict[int, str]:
        """Digests of the clean maps by which images are changed, by the number of the sample; none where none are."""
        if self.archive.needs == Needs.IMAGES:
            return {}
        return self._clean_maps.digests(samples)

    def _images(self, child: ChildProcess, samples: Sequence[SampleRow]) -> Iterator[tuple[str, bytes]]:
        """Path and PNG, in the order of the manifest. Raises ChildDied where others come than were asked for."""
        expected = iter([(number, view) for number in range(len(samples)) for view in self._views])
        job, context = self._job(samples), self.context
        with transaction(context.engine) as session:
            job = job.model_copy(update={"tables": job_tables(session, self.inputs.dataset, samples)})
            contents = contents_of(session, context.blobs, context.settings, job.archive_digest, samples)
        with contents as store:
            for event in child.converse(job, store):
                self.keep()
                if isinstance(event, Answer) and isinstance(event.reply, ChangedImage):
                    number, view = event.reply.number, event.reply.view
                    if next(expected, None) != (number, view):
                        raise ChildDied(End.CRASHED, "It sent an image that nobody asked for.")
                    yield image_path(view, samples[number].position or 0), event.blob
        if next(expected, None) is not None:
            raise ChildDied(End.CRASHED, "It did not send all images.")

    def _job(self, samples: Sequence[SampleRow]) -> ViewsJob:
        subject = self._subject
        maps, map_set = self._clean_maps.of_job(samples) if self.archive.needs == Needs.MAPS else ((), None)
        by_cells = EQUIVARIANCE.settings_in(subject.protocol.measures) is not None
        return ViewsJob(
            protocol=subject.protocol,
            preprocessing=self._preprocessing.stored(),
            views=self._views,
            archive_digest=self.inputs.dataset.stored_digest or "",
            samples=tuple(map(JobSample.of, samples)),
            maps=maps,
            map_set=map_set,
            model=JobModel.of(subject.model) if by_cells and subject.model is not None else None,
        )
