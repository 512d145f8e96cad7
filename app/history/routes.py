"""``GET /v1/model-history``."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, ModelRow
from app.errors import NotFound
from app.history.repository import ComparedVersions, audits_of, compared_in, headlines_of, newest_versions
from app.history.schemas import FoundRegression, ModelHistory, ModelVersion, VersionAudit
from app.http.authorization import READS
from app.http.dependencies import SessionDep
from app.http.problems import problem_responses

router = APIRouter(prefix="/v1/model-history", tags=["models"])


@router.get("", dependencies=[READS], summary="Read a model's history", responses=problem_responses(404, 422))
def get_history(
    session: SessionDep,
    name: Annotated[str, Query(min_length=1, max_length=200, description="The models' name.")],
    limit: Annotated[int, Query(ge=1, le=200, description="So many versions, the newest.")] = 50,
) -> ModelHistory:
    """Before a version replaces another: every version of the name with its audits' headline numbers and verdicts, and
    in `regressions` what got worse. Each audit of one model, and each that a policy asked for of the run group that a
    version joined, is compared with the newest audit of the nearest earlier version, model against model, on the same
    samples under the same protocol, as `POST /v1/comparisons` would."""
    models = newest_versions(session, name, limit)
    if not models:
        raise NotFound("model")
    audits = {model.id: audits_of(session, model.id) for model in models}
    compared = compared_in(session, models)
    return ModelHistory(
        name=name,
        versions=[_version(session, model, list(audits[model.id])) for model in models],
        regressions=[one for versions in compared for one in _regressions(versions)],
        pending=[versions.row.audit_id for versions in compared if versions.row.regressions is None],
    )


def _version(session: Session, model: ModelRow, audits: list[AuditRow]) -> ModelVersion:
    return ModelVersion(
        version=model.version,
        model_id=model.id,
        status=model.status,
        created_at=model.created_at,
        registered_at=model.registered_at,
        audits=[_audit(session, model, audit) for audit in audits],
    )


def _audit(session: Session, model: ModelRow, audit: AuditRow) -> VersionAudit:
    own = next(one for one in headlines_of(session, audit) if one["model_id"] == str(model.id))
    return VersionAudit(
        audit_id=audit.id,
        name=audit.name,
        finished_at=audit.finished_at or audit.updated_at,
        dataset_id=audit.dataset_id,
        protocol_digest=audit.protocol_digest,
        verdict=audit.verdict and audit.verdict["verdict"],
        headline=own["numbers"],
        says_nothing=own["says_nothing"],
    )


def _regressions(versions: ComparedVersions) -> Iterator[FoundRegression]:
    row, now, before = versions
    for found in row.regressions or ():
        yield FoundRegression(
            version=now.version,
            before_version=before.version,
            model_id=now.id,
            before_model_id=before.id,
            audit_id=row.audit_id,
            before_audit_id=row.before_audit_id,
            comparison_id=row.comparison_id,
            **found,
        )
