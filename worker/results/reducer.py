"""From stored scores to the results, in sample order; whoever finishes the last shard calls it."""

import json
import logging
from collections.abc import Sequence
from importlib.metadata import version
from uuid import UUID

from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import AuditResultsRow, AuditRow
from app.domain.results.documents import ResultsDocument
from app.domain.results.headline import headlines
from app.domain.vocabulary import LIVE, AuditStatus
from app.errors import Unavailable
from app.history.versions import compare_with_version_before
from app.observability.log_context import bind
from app.observability.origin import ids_of
from app.queue import TaskName
from app.results.document import results_document
from app.results.subjects import shown
from app.webhooks.events import audit_succeeded
from app.webhooks.outbox import tell
from worker.lifecycle.context import WorkerContext
from worker.results.judge import verdict_of
from worker.results.map_sections import map_sections
from worker.shards.store import all_shards_done, fail_audit, read_inputs

logger = logging.getLogger(__name__)

SOFTWARE = ("salience-audit", "torch", "torchvision", "numpy", "pillow", "scikit-image", "scipy")


def reduce_audit(context: WorkerContext, audit_id: UUID) -> None:
    """Write the results and end the audit; running it twice, or too early, changes nothing."""
    with transaction(context.engine) as session:
        audit = session.get(AuditRow, audit_id, with_for_update=True)
        if audit is None or audit.status not in LIVE or not all_shards_done(session, audit_id):
            return
        bind(**ids_of(audit.origin))
        inputs = read_inputs(session, audit_id)
        sections = map_sections(session, context.blobs, inputs)
        document = results_document(session, inputs, _software(audit.processors), sections)
        compared = None
        # Of images that are handed out the maps are still to be made.
        awaits_maps = any(one.input_size is not None for one in inputs.map_sets)
        if awaits_maps or any(summary["n"] for summary in document["summaries"]):
            _succeed(session, audit, document)
            compared = compare_with_version_before(session, audit) if context.settings.compare_versions else None
        else:
            detail = "No sample has a defined score: every salience map is constant or every output not finite."
            fail_audit(session, audit_id, {"code": "no-valid-samples", "detail": detail})
    if compared is not None:
        _wake_comparison(context, compared)


def _wake_comparison(context: WorkerContext, comparison_id: UUID) -> None:
    """The audit has ended: what may come later must not make its task fail."""
    try:
        context.queue.send(TaskName.COMPARE_AUDITS, comparison_id)
    except Unavailable:
        logger.warning("comparison %s waits for the reconciler", comparison_id)


def _succeed(session: Session, audit: AuditRow, document: ResultsDocument) -> None:
    store = insert(AuditResultsRow).values(audit_id=audit.id, document=shown(document))
    session.execute(store.on_conflict_do_nothing())
    # The verdict comes with the results: nobody sees an audit that has succeeded and is not yet judged.
    verdict = verdict_of(session, audit, document)
    session.execute(
        update(AuditRow)
        .where(AuditRow.id == audit.id)
        .values(
            status=AuditStatus.SUCCEEDED,
            finished_at=func.clock_timestamp(),
            verdict=verdict,
            headlines=headlines(document),
        )
    )
    tell(session, audit.tenant_id, *audit_succeeded(audit, document, verdict))


def _software(processors: Sequence[str]) -> dict[str, str]:
    """Versions, and what the shards ran on: of a CPU its model; of a GPU the driver, cuDNN and TF32 as well."""
    versions = {name.replace("-", "_"): version(name) for name in SOFTWARE}
    facts = [json.loads(processor) for processor in processors]
    names = dict.fromkeys(name for one in facts for name in one)
    return versions | {name: "; ".join(dict.fromkeys(one[name] for one in facts if name in one)) for name in names}
