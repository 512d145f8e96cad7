"""Looks deep into an uploaded model: can it be read, built, run and explained?"""

import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import update
from torch import nn

from app.db.session import transaction
from app.db.tables import ModelRow
from app.domain.vocabulary import ModelFormat, ResourceStatus
from app.errors import InputFailure
from app.storage.blobs import StoredBlob
from worker.context import WorkerContext
from worker.runtime.architectures import build
from worker.runtime.checkpoints import read_state_dict, write_canonical
from worker.runtime.device import pick_device
from worker.runtime.probe import ModelProbe, probe
from worker.runtime.speed import ModelSpeed

logger = logging.getLogger(__name__)

CHUNK_BYTES = 4 * 1024**2


@dataclass(frozen=True)
class _Accepted:
    stored: StoredBlob
    probe: ModelProbe
    speed: ModelSpeed | None

    def facts(self) -> dict[str, Any]:
        """What the model's row keeps."""
        speed = None if self.speed is None else self.speed.to_dict()
        return {"stored_digest": self.stored.digest, "probe": self.probe.to_dict() | {"speed": speed}}


def validate_model(context: WorkerContext, model_id: UUID) -> None:
    """Turn a model from ``validating`` to ``ready`` or ``rejected``; running it twice changes nothing."""
    with transaction(context.engine) as session:
        model = session.get(ModelRow, model_id)
    if model is None or model.status != ResourceStatus.VALIDATING:
        return
    try:
        accepted = _examine(context, model)
    except InputFailure as failure:
        logger.info("model %s rejected: %s", model_id, failure.code)
        _finish(context, model, {"status": ResourceStatus.REJECTED, "problem": failure.to_problem()})
        return
    _finish(context, model, {"status": ResourceStatus.READY, "problem": None, **accepted.facts()})


def _examine(context: WorkerContext, model: ModelRow) -> _Accepted:
    with context.blobs.local_path(model.content_digest or "") as path:
        state_dict = read_state_dict(path, ModelFormat(model.format))
    module = build(model.architecture, state_dict)
    found = probe(module, input_size=model.preprocessing["input_size"], target_layer=model.target_layer)
    if model.class_names is not None and len(model.class_names) != found.classes:
        detail = f"class_names has {len(model.class_names)} names, but the model has {found.classes} outputs."
        raise InputFailure("model-output-mismatch", detail)
    with tempfile.TemporaryDirectory() as folder:
        canonical = Path(folder) / "model.safetensors"
        write_canonical(dict(module.state_dict()), canonical)
        stored = _store(context, canonical)
    return _Accepted(stored, found, _speed(context, model, module))


def _speed(context: WorkerContext, model: ModelRow, module: nn.Module) -> ModelSpeed | None:
    """Comes last: it moves the module to this worker's device."""
    device, size = pick_device(context.settings.device), model.preprocessing["input_size"]
    return ModelSpeed.measure(module, device, input_size=size, target_layer=model.target_layer)


def _store(context: WorkerContext, path: Path) -> StoredBlob:
    with path.open("rb") as file, context.blobs.writer(context.settings.max_upload_bytes) as writer:
        while chunk := file.read(CHUNK_BYTES):
            writer.write(chunk)
        return writer.commit()


def _finish(context: WorkerContext, model: ModelRow, values: dict[str, object]) -> None:
    """Only where nothing newer was uploaded meanwhile."""
    with transaction(context.engine) as session:
        session.execute(
            update(ModelRow)
            .where(
                ModelRow.id == model.id,
                ModelRow.status == ResourceStatus.VALIDATING,
                ModelRow.content_digest == model.content_digest,
            )
            .values(values)
        )
