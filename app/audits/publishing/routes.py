"""``GET /v1/audits/{id}/model-card`` and ``/metrics``: results in the forms that other tools take."""

from fastapi import APIRouter, Response

from app.audits.publishing.model_card import flat_metrics, model_card
from app.audits.repository import get_audit, results_of
from app.audits.schemas import AuditId
from app.audits.states import check_finished
from app.datasets.repository import get_dataset
from app.http.authorization import READS
from app.http.dependencies import SessionDep
from app.http.problems import problem_responses
from app.results.subjects import by_subject, models_alone

router = APIRouter(prefix="/v1", tags=["audits"])

MARKDOWN = "text/markdown"


@router.get(
    "/audits/{audit_id}/model-card",
    dependencies=[READS],
    summary="Read an audit as a model card section",
    responses={
        **problem_responses(404, 409),
        200: {"content": {MARKDOWN: {"schema": {"type": "string"}}}, "description": "Markdown with YAML metadata."},
    },
    response_class=Response,
)
def get_model_card(audit_id: AuditId, session: SessionDep) -> Response:
    """When a model is published: Hugging Face metadata (`model-index`) with the measures of every model, and a table of
    the same numbers, to be pasted into the `README.md` of its repository."""
    audit = get_audit(session, audit_id)
    check_finished(audit)
    document = models_alone(by_subject(results_of(session, audit_id)))
    card = model_card(document, get_dataset(session, audit.dataset_id).name)
    return Response(card, media_type=MARKDOWN)


@router.get(
    "/audits/{audit_id}/metrics",
    dependencies=[READS],
    summary="Read an audit as a flat map of numbers",
    responses=problem_responses(404, 409),
)
def get_metrics(audit_id: AuditId, session: SessionDep) -> dict[str, float]:
    """To log an audit beside a training run, with `mlflow.log_metrics` and its kin: `entropy.spatial.mean`,
    `performance.clean.auroc`, `radar.entropy` and so on, macro totals. Of several models, each has its own under
    `models/PLACE/`."""
    check_finished(get_audit(session, audit_id))
    return flat_metrics(models_alone(by_subject(results_of(session, audit_id))))
