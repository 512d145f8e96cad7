"""What a model's owner's own code gave for some images, compared with what the model gives here."""

import logging
from functools import partial
from uuid import UUID

from sqlalchemy import update

from app.db.session import transaction
from app.db.tables import ModelRow
from app.domain.models.fidelity import Fidelity
from app.domain.vocabulary import Origin, ResourceStatus
from app.errors import InputFailure
from app.imaging.entries import read_entry
from app.queue import TaskName
from worker.archives.listing import list_entries
from worker.intake.reference_table import read_reference
from worker.lifecycle.attempts import attempted
from worker.lifecycle.context import WorkerContext
from worker.lifecycle.lease import WorkerStopping
from worker.supervision.endings import ChildDied, End
from worker.supervision.events import Answer
from worker.wire.facts import FidelityFacts
from worker.wire.job_parts import JobModel
from worker.wire.jobs import ReferenceJob

logger = logging.getLogger(__name__)

MOST_ENTRIES = 4096
"""Of a reference's archive: it may hold more than the images that are listed."""


def check_reference(context: WorkerContext, model_id: UUID) -> None:
    """Write down the ``fidelity`` of a model that is ready; running it twice changes nothing.

    A reference that cannot be used leaves the model unverified, with the problem.
    """
    with transaction(context.engine) as session:
        model = session.get(ModelRow, model_id)
    if model is None or model.status != ResourceStatus.READY or model.fidelity is not None:
        return
    if model.reference_digest is None:
        return
    try:
        look = partial(_in_child, context, _job(context, model, model.reference_digest))
        fidelity = attempted(context, look, of=f"reference of model {model_id}", did="compared the predictions")
    except WorkerStopping:
        context.queue.send(TaskName.CHECK_REFERENCE, model_id)
        return
    except InputFailure as failure:
        logger.info("the reference of model %s cannot be used: %s", model_id, failure.code)
        fidelity = Fidelity.unusable(failure.to_problem())
    _note(context, model, fidelity)


def _job(context: WorkerContext, model: ModelRow, digest: str) -> ReferenceJob:
    """Raises InputFailure ``reference-invalid``, or what is wrong with the archive."""
    try:
        few = context.settings.model_copy(update={"max_entries": min(context.settings.max_entries, MOST_ENTRIES)})
        listing = list_entries(context.blobs, digest, few)
        read = partial(read_entry, context.blobs, digest, max_bytes=context.settings.max_entry_bytes)
        samples = read_reference(list(listing.entries), read, model)
    except FileNotFoundError as error:
        raise InputFailure("artifact-corrupted", "The stored reference is gone; upload it again.") from error
    prefix = "architecture_options."
    assumed = [name for name, fact in model.description.items() if fact["from"] == Origin.ASSUMED]
    return ReferenceJob(
        model=JobModel.of(model),
        class_names=None if model.class_names is None else tuple(model.class_names),
        assumed_options=tuple(name.removeprefix(prefix) for name in assumed if name.startswith(prefix)),
        archive_digest=digest,
        samples=samples,
    )


def _in_child(context: WorkerContext, job: ReferenceJob) -> Fidelity:
    with context.children.fresh() as child:
        for event in child.converse(job, context.blobs):
            if context.stopping.is_set():
                raise WorkerStopping
            if isinstance(event, Answer) and isinstance(event.reply, FidelityFacts):
                return event.reply.fidelity
    raise ChildDied(End.CRASHED, "It found nothing.")


def _note(context: WorkerContext, model: ModelRow, fidelity: Fidelity) -> None:
    """Only where no newer reference was uploaded meanwhile."""
    with transaction(context.engine) as session:
        session.execute(
            update(ModelRow)
            .where(ModelRow.id == model.id, ModelRow.reference_digest == model.reference_digest)
            .values(fidelity=fidelity.model_dump(mode="json"))
        )
