"""Which images are asked for, whether they can be made, and the row that a worker makes them for; never commits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.audits.repository import models_of
from app.audits.scores.maps import SubjectFilter
from app.audits.service import check_finished, check_kept
from app.db.identifiers import new_id
from app.db.tables import AuditRow, ViewArchiveRow
from app.domain.changed_images import Needs, handed_out
from app.domain.measures import EQUIVARIANCE
from app.domain.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.vocabulary import ComparisonStatus
from app.errors import Unprocessable
from app.results.inputs import AuditedSubject, audited_subjects
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


@dataclass(frozen=True)
class Wanted:
    """Of one audit."""

    audit: AuditRow
    subjects: Sequence[AuditedSubject]
    ordinal: int
    needs: Needs

    @property
    def protocol(self) -> Protocol:
        return Protocol.model_validate(self.audit.protocol)

    @property
    def most_bytes(self) -> int:
        """Of an archive whose images cannot be made smaller at all."""
        size = Preprocessing.of(self.subjects[self.ordinal].model.preprocessing).size
        images = self.audit.sample_count * len(handed_out(self.protocol, self.needs))
        return images * (size.height * size.width * CHANNELS * 101 // 100 + ENTRY_BYTES)


def wanted_images(session: Session, audit: AuditRow, asked: ViewsFilter) -> Wanted:
    """Raises NotFound, and Unprocessable ``model-id-required`` where subjects see different images."""
    protocol = Protocol.model_validate(audit.protocol)
    subjects = audited_subjects(protocol, models_of(session, audit.id))
    if asked.needs is Needs.MAPS or EQUIVARIANCE.settings_in(protocol.measures) is not None:
        # A shift by cells hangs on the layer.
        return Wanted(audit, subjects, asked.ordinal(subjects), asked.needs)
    specs = [Preprocessing.of(one.model.preprocessing).spec for one in subjects]
    unnamed = asked.subject is None and asked.model_id is None and len(set(specs)) == 1
    ordinal = 0 if unnamed else asked.ordinal(subjects)
    return Wanted(audit, subjects, specs.index(specs[ordinal]), asked.needs)


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
        detail = (
            f"The images may take {wanted.most_bytes} bytes, and an archive {settings.max_views_bytes} "
            "(MAX_VIEWS_BYTES): set a sample_limit."
        )
        raise Unprocessable("views-too-large", detail)
    row = ViewArchiveRow(
        id=new_id(),
        audit_id=wanted.audit.id,
        model_ordinal=wanted.ordinal,
        needs=wanted.needs,
        status=ComparisonStatus.QUEUED,
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
    if not handed_out(wanted.protocol, Needs.MAPS):
        detail = "None of the audit's measures changes images by their clean maps; degradation does."
        raise Unprocessable("nothing-to-hand-out", detail)
    check_finished(wanted.audit)
    check_kept(wanted.audit, maps=True)
