"""Who an audit's rows of scores and maps are of."""

from sqlalchemy.orm import Session

from app.audits.repository import models_of
from app.db.tables import AuditRow
from app.domain.protocol import Protocol
from app.map_sets.repository import map_sets_of
from app.results.inputs import AuditedSubject, GivenSubject, audited_subjects, given_subjects


def all_subjects_in(session: Session, audit: AuditRow) -> tuple[AuditedSubject | GivenSubject, ...]:
    """All subjects of an audit, in the order of their ordinals: models first."""
    protocol = Protocol.model_validate(audit.protocol)
    models, map_sets = models_of(session, audit.id), map_sets_of(session, audit.id)
    return (*audited_subjects(protocol, models), *given_subjects(protocol, models, map_sets))
