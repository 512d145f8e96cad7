"""Pictures of a data set that look alike: counted over splits and labels, and noted on the samples."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import bindparam, collate, select, update
from sqlalchemy.orm import Session

from app.db.tables import SampleRow
from app.domain.samples.splits import is_training
from app.domain.vocabulary import SampleStatus
from worker.functional.near_duplicates import groups_of_alike

Json = dict[str, Any]


def note_near_duplicates(session: Session, dataset_id: UUID) -> Json | None:
    """Counts of ``images`` that look like another one, their ``groups``, and how many of these hold several labels, or
    splits; None where every image is one of its kind. Samples get the name of the first image of their group."""
    query = (
        select(SampleRow.id, SampleRow.name, SampleRow.label, SampleRow.split, SampleRow.perceptual_hash)
        .where(SampleRow.dataset_id == dataset_id, SampleRow.status == SampleStatus.READY)
        .where(SampleRow.perceptual_hash.is_not(None))
        .order_by(collate(SampleRow.name, "C"))
    )
    rows = session.execute(query).all()
    hashes = np.frombuffer(b"".join(row.perceptual_hash for row in rows), ">u8").astype(np.uint64)
    groups: dict[int, list[Any]] = {}
    for row, place in zip(rows, groups_of_alike(hashes).tolist(), strict=True):
        groups.setdefault(place, []).append(row)
    alike = [members for members in groups.values() if len(members) > 1]
    _save(session, alike)
    return _counts(alike) if alike else None


def _save(session: Session, alike: Sequence[Sequence[Any]]) -> None:
    values = [{"own": row.id, "first": members[0].name} for members in alike for row in members]
    if values:
        statement = (
            update(SampleRow).where(SampleRow.id == bindparam("own")).values(near_duplicate_of=bindparam("first"))
        )
        session.connection().execute(statement.execution_options(synchronize_session=False), values)


def _counts(alike: Sequence[Sequence[Any]]) -> Json:
    splits = [{row.split for row in members} for members in alike]
    return {
        "images": sum(map(len, alike)),
        "groups": len(alike),
        "across_labels": sum(len({row.label for row in members}) > 1 for members in alike),
        "across_splits": sum(len(names) > 1 for names in splits),
        "with_training_images": sum(len(names) > 1 and _has_training(names) for names in splits),
    }


def _has_training(splits: set[str | None]) -> bool:
    return any(split is not None and is_training(split) for split in splits)
