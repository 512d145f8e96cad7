"""Clean maps of a model on a data set are made once: later audits of the pair take over what an earlier one stored."""

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from uuid import UUID

from sqlalchemy import Row, Select, func, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from app.db.tables import CleanSourceRow, DatasetRow, SampleRow, SampleScoresRow, map_cells
from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.maps.sizes import FLOAT_BYTES
from app.domain.measures import SUFFICIENCY
from app.domain.vocabulary import DeviceClass, Explained, Weights
from worker.machine.processor import processor_of
from worker.shards.store import Claim
from worker.wire.job_parts import JobCachedMap
from worker.wire.jobs import ShardJob

CleanMapRow = tuple[str, bytes | None, int | None, int | None, int, list[float | None]]
"""Sample, native map, its height and width, predicted class, class scores."""


def clean_keys(job: ShardJob, tenant_id: UUID, device_class: DeviceClass, threads: int) -> list[str]:
    """A digest for each subject that is a model, of all that decides about the bits of its clean maps. None for maps of
    image size.

    The tenant is among it: how long an audit takes must not tell whether another tenant has the same files.

    Those are left out since to read them costs about as much as to make them.
    """
    of_models = [(subject, job.models[subject.model]) for subject in job.subjects if subject.model is not None]
    if any(CAM_METHODS[subject.salience.method].at_input_resolution for subject, _ in of_models):
        return []
    if SUFFICIENCY.settings_in(job.protocol.measures):
        # It asks for the score of whatever class is predicted, and only those of labels are stored.
        return []
    common = {
        "tenant": str(tenant_id),
        "archive": job.archive_digest,
        "labels": job.label_indices,
        "scores": [str(job.protocol.class_score), *job.score_classes],
        "micro_batch": job.protocol.micro_batch,
        "processor": [device_class, processor_of(device_class), threads],
        "software": [version(name) for name in ("salience-audit", "torch", "torchvision", "numpy", "pillow")],
    }
    return [
        _digest(
            {
                **common,
                "salience": subject.salience.to_json(),
                "model": model.model_dump(mode="json"),
                **({"seed": job.protocol.seed} if CAM_METHODS[subject.salience.method].draws else {}),
                **({"random": job.protocol.seed} if subject.weights is Weights.RANDOM else {}),
                **({"explained": subject.explained} if subject.explained is not Explained.TARGET else {}),
            }
        )
        for subject, model in of_models
    ]


def _digest(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def remember_clean_maps(session: Session, claim: Claim, keys: Sequence[str]) -> None:
    """In the transaction that stores the shard's scores."""
    rows = [
        {"key": key, "audit_id": claim.audit_id, "model_ordinal": ordinal, "start": claim.start, "stop": claim.stop}
        for ordinal, key in enumerate(keys)
    ]
    if rows:
        session.execute(insert(CleanSourceRow), rows)


def cached_maps(
    session: Session, job: ShardJob, keys: Sequence[str], samples: Sequence[SampleRow]
) -> list[JobCachedMap]:
    """Those of the job's samples and models that are stored, with every score of theirs defined."""
    numbers = {sample.name: number for number, sample in enumerate(samples)}
    names = [sample.name_key for sample in samples]
    return [
        _cached_map(row, ordinal, numbers[row.name])
        for ordinal, key in enumerate(keys)
        for row in session.execute(_stored(key, job, names))
        # Black all over is a map that is undefined, of a row that has no score to say so: it is made again.
        if row.name in numbers and any(row.native or b"")
    ]


def _stored(key: str, job: ShardJob, names: list[bytes]) -> Select[CleanMapRow]:
    """Samples are met by name, since a data set may have been uploaded twice."""
    scores, source = SampleScoresRow, CleanSourceRow
    cells = map_cells() * FLOAT_BYTES
    return (
        select(
            SampleRow.name,
            func.substring(scores.maps, 1, cells).label("native"),
            scores.map_height,
            scores.map_width,
            scores.predicted[1].label("predicted"),
            scores.class_scores[1 : len(job.score_classes)].label("class_scores"),
        )
        .ext(distinct_on(SampleRow.name))
        .join(scores, scores.sample_id == SampleRow.id)
        .join(source, (source.audit_id == scores.audit_id) & (source.model_ordinal == scores.model_ordinal))
        .where(SampleRow.dataset_id.in_(select(DatasetRow.id).where(DatasetRow.stored_digest == job.archive_digest)))
        .where(SampleRow.name_key.in_(names), source.key == key)
        .where(source.start <= scores.ordinal, scores.ordinal < source.stop)
        .where(scores.undefined.is_(None), scores.maps.is_not(None))
    )


def _cached_map(row: Row[CleanMapRow], ordinal: int, number: int) -> JobCachedMap:
    return JobCachedMap(
        number=number,
        model_ordinal=ordinal,
        native=(row.native or b"").hex(),
        map_height=row.map_height,
        map_width=row.map_width,
        predicted=row.predicted,
        class_scores=row.class_scores,
    )
