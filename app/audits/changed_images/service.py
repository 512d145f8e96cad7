"""Which images are asked for, whether they can be made, and the row that a worker makes them for; never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.audits.scores.maps import SubjectFilter
from app.audits.scores.subjects import all_subjects_in
from app.audits.states import check_finished, check_kept
from app.db.identifiers import new_id
from app.db.tables import AuditRow, ViewArchiveRow
from app.domain.audits.changed_images import Needs, handed_out
from app.domain.measures import EQUIVARIANCE
from app.domain.models.preprocessing import Preprocessing
from app.domain.problems import changed_images as problems
from app.domain.protocol import Protocol
from app.domain.vocabulary import OwedStatus, ResourceStatus
from app.results.inputs import AuditedSubject, GivenSubject, changed_for, seen_by
from app.settings import Settings

CHANNELS = 3
ENTRY_BYTES = 2048
"""More than an image takes beside its pixels (of which zlib may make a hundredth more): headers, its entry of the
archive, its line of the manifest."""


@dataclass(frozen=True)
class ViewsFilter(SubjectFilter):
    """Which images are asked for."""

    needs: Annotated[
        Needs,
        Query(
            description="`images`: the clean images and those made of them alone. `maps`: those that follow a "
            "subject's clean maps as well, such as degradation's."
        ),
    ] = Needs.IMAGES


AnySubject = AuditedSubject | GivenSubject


@dataclass(frozen=True)
class Wanted:
    """Of one audit."""

    audit: AuditRow
    subjects: Sequence[AnySubject]
    ordinal: int
    needs: Needs
    preprocessing: Preprocessing
    """How the images are made that the subject looks at."""

    @property
    def views(self) -> tuple[str, ...]:
        return handed_out(changed_for(self.subjects[self.ordinal]), self.needs)

    @property
    def most_bytes(self) -> int:
        """Of an archive whose images cannot be made smaller at all."""
        size = self.preprocessing.size
        images = self.audit.sample_count * len(self.views)
        return images * (size.height * size.width * CHANNELS * 101 // 100 + ENTRY_BYTES)


def wanted_images(session: Session, audit: AuditRow, asked: ViewsFilter) -> Wanted:
    """Raises NotFound; Unprocessable ``model-id-required`` where subjects see different images, ``input-size-required``
    where nobody says how large they are."""
    subjects = all_subjects_in(session, audit)
    seen = [_seen(one, subjects) for one in subjects]
    ordinal = _ordinal(Protocol.model_validate(audit.protocol), subjects, seen, asked)
    preprocessing = seen[ordinal]
    if preprocessing is None:
        raise problems.INPUT_SIZE_REQUIRED.error()
    return Wanted(audit, subjects, ordinal, asked.needs, preprocessing)


def _seen(one: AnySubject, subjects: Sequence[AnySubject]) -> Preprocessing | None:
    if one.model is not None:
        return Preprocessing.of(one.model.preprocessing)
    return seen_by([other.model for other in subjects if other.model is not None], [one.map_set])


def _ordinal(
    protocol: Protocol, subjects: Sequence[AnySubject], seen: Sequence[Preprocessing | None], asked: ViewsFilter
) -> int:
    """Of several that see the same images the first."""
    if asked.needs is Needs.MAPS or EQUIVARIANCE.settings_in(protocol.measures) is not None:
        # A shift by cells hangs on the layer.
        return asked.ordinal(subjects)
    specs = [one and one.spec for one in seen]
    unnamed = asked.subject is None and asked.model_id is None and len(set(specs)) == 1
    return specs.index(specs[0 if unnamed else asked.ordinal(subjects)])


def find_archive(session: Session, wanted: Wanted) -> ViewArchiveRow | None:
    row = ViewArchiveRow
    query = select(row).where(row.audit_id == wanted.audit.id, row.model_ordinal == wanted.ordinal)
    return session.scalar(query.where(row.needs == wanted.needs))


def request_archive(session: Session, wanted: Wanted, settings: Settings) -> ViewArchiveRow:
    """The audit's row is locked, so that each archive is there once.

    Raises Unprocessable ``nothing-to-hand-out`` and ``views-too-large``, QuotaExceeded, and where clean maps are needed
    Conflict and Gone.
    """
    _check_maps(wanted)
    if wanted.most_bytes > settings.max_views_bytes:
        raise problems.VIEWS_TOO_LARGE.error(bytes=wanted.most_bytes, most=settings.max_views_bytes)
    row = ViewArchiveRow(
        id=new_id(),
        audit_id=wanted.audit.id,
        model_ordinal=wanted.ordinal,
        needs=wanted.needs,
        status=OwedStatus.QUEUED,
        attempt=0,
        size=wanted.most_bytes,
    )
    session.add(row)
    session.flush()
    check_bytes(session, settings)
    return row


def _check_maps(wanted: Wanted) -> None:
    if wanted.needs is Needs.IMAGES:
        return
    if not wanted.views:
        raise problems.NOTHING_TO_HAND_OUT.error()
    subject = wanted.subjects[wanted.ordinal]
    if subject.map_set is None:
        check_finished(wanted.audit)
        check_kept(wanted.audit, maps=True)
    elif subject.map_set.status != ResourceStatus.READY:
        raise problems.NO_CLEAN_MAPS.error(id=subject.map_set.id)
