"""Lets a fresh child look deep into an uploaded model, and writes down what it found."""

import logging
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import update

from app.db.session import transaction
from app.db.tables import ModelRow
from app.domain.models.heads import Head
from app.domain.models.outputs import Output
from app.domain.vocabulary import ModelFormat, ResourceStatus
from app.errors import InputFailure, TooLarge
from app.queue import TaskName
from app.storage.writing import BlobWriter, StoredBlob
from app.webhooks.events import model_looked_at
from app.webhooks.outbox import tell
from worker.lifecycle.attempts import attempted
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import WorkerStopping
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.facts import ModelFacts
from worker.wire.jobs import ModelJob
from worker.wire.replies import Weights

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Accepted:
    stored: StoredBlob
    facts: ModelFacts


def validate_model(context: WorkerContext, model_id: UUID) -> None:
    """Turn a model from ``validating`` to ``ready`` or ``rejected``; running it twice changes nothing."""
    with transaction(context.engine) as session:
        model = session.get(ModelRow, model_id)
    if model is None or model.status != ResourceStatus.VALIDATING:
        return
    try:
        look = partial(_in_child, context, model)
        accepted = attempted(context, look, of=f"model {model_id}", did="looked into the model")
    except WorkerStopping:
        context.queue.send(TaskName.VALIDATE_MODEL, model_id)
        return
    except InputFailure as failure:
        logger.info("model %s rejected: %s", model_id, failure.code)
        _finish(context, model, {"status": ResourceStatus.REJECTED, "problem": failure.to_problem()})
        return
    found = {
        "stored_digest": accepted.stored.digest,
        "probe": accepted.facts.to_dict(),
        "description": accepted.facts.described(model.description),
        "architecture_options": accepted.facts.architecture_options,
        "head": accepted.facts.head and accepted.facts.head.model_dump(mode="json"),
        "problem": None,
    }
    if _finish(context, model, {"status": ResourceStatus.READY, **found}) is not None:
        context.queue.send(TaskName.CHECK_REFERENCE, model_id)


def _in_child(context: WorkerContext, model: ModelRow) -> _Accepted:
    with context.blobs.writer(context.settings.max_upload_bytes) as writer:
        facts = _converse(context, _job(model), writer)
        if model.class_names is not None and len(model.class_names) != facts.classes:
            detail = f"class_names has {len(model.class_names)} names, but the model has {facts.classes} outputs."
            raise InputFailure("model-output-mismatch", detail)
        return _Accepted(writer.commit(), facts)


def _job(model: ModelRow) -> ModelJob:
    return ModelJob(
        digest=model.content_digest or "",
        format=ModelFormat(model.format),
        architecture=model.architecture,
        input_size=model.preprocessing["input_size"],
        target_layer=model.target_layer,
        output=Output.of(model.output),
        architecture_options=model.architecture_options,
        preprocessing=model.preprocessing,
        weights_key=model.weights_key,
        ignore_tensors=tuple(model.ignore_tensors),
        head=None if model.head is None else Head.model_validate(model.head),
    )


def _converse(context: WorkerContext, job: ModelJob, writer: BlobWriter) -> ModelFacts:
    """What was found; the canonical form is in the writer."""
    facts: ModelFacts | None = None
    with context.children.fresh() as child:
        for event in child.converse(job, context.blobs):
            if context.stopping.is_set():
                raise WorkerStopping
            if isinstance(event, Answer) and isinstance(event.reply, Weights):
                _write(writer, event.blob)
            elif isinstance(event, Answer) and isinstance(event.reply, ModelFacts):
                facts = event.reply
    if facts is None or not writer.size:
        raise ChildDied(End.CRASHED, "It found nothing.")
    return facts


def _write(writer: BlobWriter, part: bytes) -> None:
    try:
        writer.write(part)
    except TooLarge as error:
        raise InputFailure("model-invalid", f"As float32, the model is too large. {error.detail}") from error


def _finish(context: WorkerContext, model: ModelRow, values: dict[str, object]) -> str | None:
    """Only where nothing newer was uploaded meanwhile; the digest of a reference that waits for a ready model."""
    with transaction(context.engine) as session:
        if "stored_digest" in values:
            context.keep_blob(session, str(values["stored_digest"]))
        finished = (
            update(ModelRow)
            .where(
                ModelRow.id == model.id,
                ModelRow.status == ResourceStatus.VALIDATING,
                ModelRow.content_digest == model.content_digest,
            )
            .values(values)
            .returning(ModelRow.reference_digest)
        )
        row = session.execute(finished).one_or_none()
        if row is None:
            return None
        problem = cast("dict[str, Any] | None", values["problem"])
        tell(session, model.tenant_id, model_looked_at(model, ResourceStatus(str(values["status"])), problem))
        return row[0]
