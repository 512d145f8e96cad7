"""An archive of changed images while it is being made."""

from collections.abc import Sequence
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from app.db.tables import AuditRow, ViewArchiveRow
from app.domain.audits.changed_images import Needs, handed_out
from app.domain.vocabulary import OwedStatus
from app.results.inputs import AuditedSubject, GivenSubject, changed_for


class ViewArchive(BaseModel):
    """The archive that is being made: come again for it after `Retry-After` seconds."""

    audit_id: UUID
    subject: str = Field(description="Whose images they are: of a model, or of several whose images are the same.")
    needs: Needs
    status: OwedStatus
    views: list[str]
    images: int = Field(description="How many the archive will have.")

    @classmethod
    def of(cls, row: ViewArchiveRow, audit: AuditRow, subjects: Sequence[AuditedSubject | GivenSubject]) -> Self:
        views = handed_out(changed_for(subjects[row.model_ordinal]), row.needs)
        return cls(
            audit_id=row.audit_id,
            subject=subjects[row.model_ordinal].key,
            needs=row.needs,
            status=row.status,
            views=list(views),
            images=len(views) * audit.sample_count,
        )
