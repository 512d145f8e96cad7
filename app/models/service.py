"""What can be done with models; never commits."""

from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.references import of_model, refuse_while_audited
from app.db.tables import ModelImportRow, ModelRow
from app.domain.models.heads import Head
from app.domain.problems import uploads
from app.domain.problems.in_use import IN_A_GROUP
from app.domain.problems.service import INVALID
from app.domain.refusals.architectures import ARCHITECTURE_REQUIRED
from app.domain.refusals.weights import FORMAT_UNKNOWN
from app.domain.vocabulary import ModelFormat, ResourceStatus
from app.errors import Unprocessable, UnsupportedMediaType
from app.imaging.containers import Container, container_of
from app.models.configs.reading import OF_WEIGHTS
from app.models.description import described_request
from app.models.imported import described_import, description_invalid
from app.models.missing import DESCRIBED, missing_of
from app.models.repository import run_group_of
from app.models.request_fields import ModelDescription
from app.models.requests import ModelRequest, ModelSource
from app.naming.versions import next_version
from app.storage.writing import StoredBlob
from app.uploads.content import digests_of
from app.uploads.sources import check_source

_ALIASES = dict.fromkeys(("state_dict", "torch", "pytorch", "pt", "pth", "torch_state_dict"), ModelFormat.STATE_DICT)
FORMATS = {"safetensors": ModelFormat.SAFETENSORS, "onnx": ModelFormat.ONNX, **_ALIASES}


def register(session: Session, request: ModelRequest) -> ModelRow:
    """Raises Unprocessable ``model-format-not-accepted``, ``architecture-required`` or ``validation-error``, and
    NotFound where its source has no such connection."""
    if request.source is None:
        _check_complete(request)
    row = ModelRow(
        id=new_id(),
        name=request.name,
        version=request.version or next_version(session, ModelRow, request.name),
        tags=request.tags,
        extra=request.metadata,
    )
    describe(row, request, described_request(request, DESCRIBED, request.told))
    session.add(row)
    session.flush()
    if request.source is not None:
        _await_fetch(session, row, request, request.source)
    session.refresh(row)
    return row


def _check_graph(request: ModelDescription) -> None:
    """A graph is the network: what says which network the weights fit has nothing to say."""
    said = [name for name in OF_WEIGHTS if getattr(request, name)]
    if said:
        errors: list[dict[str, object]] = [
            {"loc": ["body", name], "msg": "an ONNX file is the network itself; leave it out"} for name in said
        ]
        raise Unprocessable("validation-error", "The request is not valid.", errors=errors)


def _check_complete(request: ModelRequest) -> None:
    fields = ("format", "preprocessing")
    errors: list[dict[str, object]] = [
        {"loc": ["body", field], "msg": "Field required"} for field in fields if getattr(request, field) is None
    ]
    if errors:
        raise Unprocessable(INVALID.code, INVALID.detail(), errors=errors)
    if format_of(request) is not ModelFormat.ONNX and not request.architecture:
        errors = [{"loc": ["body", "architecture"], "msg": "needed for this format"}]
        raise Unprocessable(ARCHITECTURE_REQUIRED.code, ARCHITECTURE_REQUIRED.detail(), errors=errors)


def format_of(request: ModelDescription) -> ModelFormat | None:
    """Raises Unprocessable ``model-format-not-accepted``."""
    if request.format is None:
        return None
    kind = FORMATS.get(request.format.lower())
    if kind is None:
        raise Unprocessable(FORMAT_UNKNOWN.code, FORMAT_UNKNOWN.detail())
    return kind


def describe(row: ModelRow, request: ModelDescription, description: dict[str, Any]) -> None:
    """What bears on what it computes. Raises Unprocessable ``model-format-not-accepted``."""
    kind = format_of(request)
    if kind is ModelFormat.ONNX:
        _check_graph(request)
    row.architecture, row.format = request.architecture, kind or ""
    row.class_names = request.class_names
    row.preprocessing = {} if request.preprocessing is None else request.preprocessing.stored()
    row.target_layer = request.target_layer
    row.weights_key = request.weights_key
    row.ignore_tensors = request.ignore_tensors
    row.output = request.output.model_dump(mode="json")
    row.architecture_options = request.architecture_options
    row.head = None if request.head is None else Head(layers=tuple(request.head)).model_dump(mode="json")
    row.description = description


def _await_fetch(session: Session, row: ModelRow, request: ModelRequest, source: ModelSource) -> None:
    check_source(session, source)
    row.status, row.source = ResourceStatus.FETCHING, source.model_dump(mode="json")
    columns = {"connection_id": source.connection_id, "uri": source.uri, "said": request.given}
    session.add(ModelImportRow(model_id=row.id, **columns))
    session.flush()


def complete(session: Session, row: ModelRow, fields: dict[str, Any]) -> bool:
    """What was missing of an imported model's description; whether a worker can look at it now.

    Raises Conflict ``model-already-described``, Unprocessable ``description-invalid``.
    """
    imported = session.get(ModelImportRow, row.id, with_for_update=True)
    if row.status != ResourceStatus.NEEDS_DESCRIPTION or imported is None:
        raise uploads.ALREADY_DESCRIBED.error()
    before, now = imported.said.get("preprocessing"), fields.get("preprocessing")
    if isinstance(before, dict) and isinstance(now, dict):
        fields = {**fields, "preprocessing": {**before, **now}}
    imported.said = {**imported.said, **fields}
    return described_anew(row, imported)


def described_anew(row: ModelRow, imported: ModelImportRow) -> bool:
    """From what requests and the registry say; whether nothing is missing.

    Raises Unprocessable ``description-invalid``, ``model-format-not-accepted``.
    """
    try:
        request, description = described_import(imported.said, imported.found)
    except ValidationError as error:
        raise description_invalid(error) from error
    describe(row, request, description)
    is_complete = not missing_of(row)
    row.status = ResourceStatus.VALIDATING if is_complete else ResourceStatus.NEEDS_DESCRIPTION
    return is_complete


def check_reference_start(start: bytes) -> None:
    """Raises UnsupportedMediaType for what is no zip by its first bytes."""
    if container_of(start) is not Container.ZIP:
        detail = "The content is no zip archive: pack the images and outputs.jsonl as one."
        raise UnsupportedMediaType("unsupported-media-type", detail)


def accept_reference(row: ModelRow, blob: StoredBlob) -> bool:
    """From now on a worker looks at it, and what an earlier one said is forgotten.

    False where the very same is there already, unless it could not be used: a lost process may have been the reason.
    """
    if row.reference_digest == blob.digest and not (row.fidelity or {}).get("problem"):
        return False
    row.reference_digest, row.reference_size, row.fidelity = blob.digest, blob.size, None
    return True


def delete(session: Session, row: ModelRow) -> set[str]:
    """The blobs that it referred to. Raises Conflict ``model-in-use``."""
    refuse_while_audited(session, "model", of_model(row.id))
    group = run_group_of(session, row.id)
    if group:
        raise IN_A_GROUP.error(id=group)
    session.delete(row)
    session.flush()
    return digests_of(row)
