"""Which samples of its data set an audit takes, and what whoever reads its numbers should know of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audits.schemas import AuditRequest
from app.db.tables import DatasetRow, SampleRow
from app.domain.problems import planning
from app.domain.samples.draws import draw, stratified_draw
from app.domain.samples.splits import is_training
from app.domain.vocabulary import GroupBy

MOST_GROUPS = 200
"""Of one column: each has summaries of every view."""
_OWN = frozenset(GroupBy)


@dataclass(frozen=True)
class Chosen:
    """``positions`` within the data set, ascending; None for all samples."""

    count: int
    positions: list[int] | None
    notes: list[str]


def choose_samples(session: Session, request: AuditRequest, dataset: DatasetRow, seed: int) -> Chosen:
    """Raises Unprocessable ``unknown-split``."""
    split = _split(request, dataset)
    request = request.model_copy(update={"split": split})
    positions = None if request.split is None else _positions(session, request, dataset)
    whole = dataset.sample_count if positions is None else len(positions)
    if request.sample_limit is not None and request.sample_limit < whole:
        positions = _drawn(session, request, dataset, seed)
    count = whole if positions is None else len(positions)
    return Chosen(count, positions, _notes(session, request, dataset, positions))


def check_group_by(session: Session, request: AuditRequest, dataset: DatasetRow) -> None:
    """Raises Unprocessable ``unknown-group`` or ``too-many-groups``."""
    known = {"split": SampleRow.split, "cluster": SampleRow.cluster} | {
        name: SampleRow.groups[name].astext for name in (dataset.columns or {}).get("groups", [])
    }
    for name in dict.fromkeys(request.group_by or ()):
        if name not in known or name in _OWN:
            raise planning.UNKNOWN_GROUP.error(known=", ".join(known))
        values = select(func.count(known[name].distinct())).where(SampleRow.dataset_id == dataset.id)
        count = session.scalar(values) or 0
        if count > MOST_GROUPS:
            raise planning.TOO_MANY_GROUPS.error(name=ascii(name[:100]), count=count, most=MOST_GROUPS)


def cluster_column(request: AuditRequest, dataset: DatasetRow) -> str | None:
    """Raises Unprocessable ``unknown-group``."""
    columns = dataset.columns or {}
    own = columns.get("cluster")
    if request.cluster is None or request.cluster in {own, "cluster"}:
        if request.cluster is not None and own is None:
            raise planning.NO_CLUSTER_COLUMN.error()
        return None if own is None else "cluster"
    groups = columns.get("groups") or []
    if request.cluster not in groups:
        known = ", ".join([*(["cluster"] if own else []), *groups]) or "none"
        raise planning.UNKNOWN_CLUSTER_COLUMN.error(known=known)
    return request.cluster


def _split(request: AuditRequest, dataset: DatasetRow) -> str | None:
    """As the data set writes it."""
    if request.split is None:
        return None
    for split in dataset.splits:
        if split.casefold() == request.split.casefold():
            return split
    known = f"has the splits {', '.join(dataset.splits)}" if dataset.splits else "has no splits"
    raise planning.UNKNOWN_SPLIT.error(known=known)


def _positions(session: Session, request: AuditRequest, dataset: DatasetRow) -> list[int]:
    return [position for position, _ in session.execute(_of_split(request, dataset, SampleRow.label))]


def _drawn(session: Session, request: AuditRequest, dataset: DatasetRow, seed: int) -> list[int]:
    limit = request.sample_limit or 0
    if request.stratify is not None:
        column = SampleRow.label if request.stratify == "label" else SampleRow.source
        strata: dict[str | None, list[int]] = {}
        for position, name in session.execute(_of_split(request, dataset, column)):
            strata.setdefault(name, []).append(position)
        return stratified_draw(strata, limit, seed)
    if request.split is not None:
        return draw(_positions(session, request, dataset), limit, seed)
    return draw(range(dataset.sample_count), limit, seed)


def _of_split(request: AuditRequest, dataset: DatasetRow, column: Any) -> Any:
    query = select(SampleRow.position, column).where(
        SampleRow.dataset_id == dataset.id, SampleRow.position.is_not(None)
    )
    if request.split is not None:
        query = query.where(SampleRow.split == request.split)
    return query.order_by(SampleRow.position)


def _notes(session: Session, request: AuditRequest, dataset: DatasetRow, positions: list[int] | None) -> list[str]:
    query = select(SampleRow.label, SampleRow.split, func.count()).where(
        SampleRow.dataset_id == dataset.id, SampleRow.position.is_not(None)
    )
    if positions is not None:
        query = (
            query.where(SampleRow.position.in_(positions))
            if len(positions) < 1000
            else query.where(SampleRow.position == func.any(positions))
        )
    found = session.execute(query.group_by(SampleRow.label, SampleRow.split)).all()
    notes = _lost_labels(dataset, {label for label, _, _ in found}, request)
    training = sum(count for _, split, count in found if split is not None and is_training(split))
    if request.split is None and training:
        total = sum(count for *_, count in found)
        notes.append(
            f"{training} of the {total} samples are training images: numbers on images that a model was trained on say "
            "little of others. Ask for a split, such as test."
        )
    alike = (dataset.near_duplicates or {}).get("with_training_images", 0)
    if alike:
        notes.append(f"In {alike} groups of images that look alike, a training image is also in another split.")
    return notes


def _lost_labels(dataset: DatasetRow, there: set[str | None], request: AuditRequest) -> list[str]:
    lost = [label for label in dataset.labels if label not in there]
    if not lost:
        return []
    what = "draw" if request.sample_limit is not None else "split"
    shown = ", ".join(repr(label[:100]) for label in lost[:5]) + (", ..." if len(lost) > 5 else "")
    way_out = " Draw with stratify: label, or more samples." if what == "draw" else ""
    return [f"The {what} has no sample of {len(lost)} of the {len(dataset.labels)} labels: {shown}.{way_out}"]
