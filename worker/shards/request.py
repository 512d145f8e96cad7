"""Between the database and the child: the job of a shard, and the rows that come back."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import DatasetObjectRow, DatasetRow, MapRow, MapSetRow, SampleRow
from app.domain.maps.sizes import FLOAT_BYTES
from app.domain.vocabulary import ACROSS_MODELS, SampleStatus
from app.results.inputs import AuditInputs, input_size_of
from app.sources.addresses import ROWS, listed_dataset, object_at
from worker.shards.frames import seen_frame
from worker.shards.store import Claim
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.job_parts import Frame, JobGivenMap, JobMapSet, JobModel, JobSample, JobTable
from worker.wire.jobs import ShardJob
from worker.wire.replies import ScoresRow

Row = dict[str, Any]


def shard_job(session: Session, inputs: AuditInputs, samples: Sequence[SampleRow]) -> ShardJob:
    """Everything that a process without a database needs."""
    mapping = inputs.mapping
    return ShardJob(
        protocol=inputs.protocol,
        archive_digest=inputs.dataset.stored_digest or "",
        label_indices=mapping.indices,
        score_classes=mapping.score_classes(inputs.classes or 0),
        models=tuple(map(JobModel.of, inputs.models)),
        subjects=tuple(one.subject for one in inputs.subjects),
        samples=tuple(map(JobSample.of, samples)),
        unexamined=_numbers(samples, SampleStatus.UNEXAMINED),
        unreadable=_numbers(samples, SampleStatus.UNREADABLE),
        map_sets=tuple(job_map_set(session, one, samples) for one in inputs.map_sets),
        frames=frames_of(inputs, samples) if inputs.map_sets else (),
        tables=job_tables(session, inputs.dataset, samples),
    )


def job_tables(session: Session, dataset: DatasetRow, samples: Sequence[SampleRow]) -> tuple[JobTable, ...]:
    """Those of a listing of which samples are rows."""
    if listed_dataset(dataset.stored_digest or "") is None:
        return ()
    places = (object_at(sample.offset) for sample in samples)
    numbers = {number for number, within in places if within >= ROWS}
    row = DatasetObjectRow
    query = select(row.number, row.size).where(row.dataset_id == dataset.id, row.number.in_(numbers))
    return tuple(JobTable(number=number, size=size) for number, size in session.execute(query))


def job_map_set(session: Session, row: MapSetRow, samples: Sequence[SampleRow]) -> JobMapSet:
    """Its maps of these samples."""
    numbers = {sample.id: number for number, sample in enumerate(samples)}
    query = select(MapRow).where(MapRow.map_set_id == row.id, MapRow.status == SampleStatus.READY)
    found = session.scalars(query.where(MapRow.sample_id.in_(numbers)))
    maps = [(numbers[one.sample_id], one) for one in found if one.sample_id is not None]
    own = tuple(_given_map(*one) for one in maps)
    return JobMapSet(digest=row.stored_digest, input_size=input_size_of(row), maps=own)


def _given_map(number: int, row: MapRow) -> JobGivenMap:
    fields = {name: getattr(row, name) for name in JobGivenMap.model_fields if name != "number"}
    return JobGivenMap.model_validate({**fields, "number": number})


def frames_of(inputs: AuditInputs, samples: Sequence[SampleRow]) -> tuple[Frame, ...]:
    """What models see of each."""
    return tuple(seen_frame(inputs.models, (sample.width or 1, sample.height or 1)) for sample in samples)


def _numbers(samples: Sequence[SampleRow], status: SampleStatus) -> tuple[int, ...]:
    return tuple(number for number, one in enumerate(samples) if one.status == status)


class RowTable:
    """Takes the rows of a job as they come; ids are ours, and nothing is taken that was not asked for."""

    def __init__(self, claim: Claim, samples: Sequence[SampleRow], job: ShardJob) -> None:
        self._claim = claim
        self._samples = samples
        across = bool(job.protocol.pairing_columns())
        self._subjects = range(-1 if across else 0, len(job.subjects))
        self._conditions = [len(one.conditions(job.protocol)) for one in job.subjects]
        self._rows: dict[tuple[int, int], Row] = {}

    def take(self, answer: Answer) -> None:
        """Raises ChildDied where the row is none of the job's."""
        row, maps = answer
        if not isinstance(row, ScoresRow):
            return
        place = (row.model_ordinal, row.number)
        is_asked_for = row.model_ordinal in self._subjects and 0 <= row.number < len(self._samples)
        if not is_asked_for or len(maps) != self._bytes_of_maps(row):
            raise ChildDied(End.CRASHED, "It sent a row that nobody asked for.")
        self._rows[place] = {
            **row.model_dump(exclude={"kind", "number"}),
            "maps": maps or None,
            "audit_id": self._claim.audit_id,
            "ordinal": self._claim.start + row.number,
            "sample_id": self._samples[row.number].id,
        }

    def _bytes_of_maps(self, row: ScoresRow) -> int:
        conditions = 0 if row.model_ordinal == ACROSS_MODELS else self._conditions[row.model_ordinal]
        return conditions * (row.map_height or 0) * (row.map_width or 0) * FLOAT_BYTES

    def finished(self) -> list[Row]:
        """All rows, each once. Raises ChildDied where some are missing."""
        if len(self._rows) != len(self._subjects) * len(self._samples):
            raise ChildDied(End.CRASHED, "It did not send all rows.")
        return list(self._rows.values())
