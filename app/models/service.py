"""What can be done with models; never commits."""

from sqlalchemy.orm import Session

from app.db.identifiers import new_id
from app.db.references import of_model, refuse_while_audited
from app.db.tables import ModelRow
from app.domain.heads import Head
from app.domain.refusals import ARCHITECTURE_REQUIRED, FORMAT_UNKNOWN
from app.domain.vocabulary import ModelFormat
from app.errors import Conflict, Unprocessable, UnsupportedMediaType
from app.imaging.containers import Container, container_of
from app.models.description import described_request
from app.models.repository import run_group_of
from app.models.schemas import DESCRIBED, OF_WEIGHTS, ModelRequest
from app.naming.versions import next_version
from app.storage.blobs import StoredBlob
from app.uploads.content import digests_of

_ALIASES = dict.fromkeys(("state_dict", "torch", "pytorch", "pt", "pth", "torch_state_dict"), ModelFormat.STATE_DICT)
FORMATS = {"safetensors": ModelFormat.SAFETENSORS, "onnx": ModelFormat.ONNX, **_ALIASES}


def register(session: Session, request: ModelRequest) -> ModelRow:
    """Raises Unprocessable ``model-format-not-accepted``, ``architecture-required`` or ``validation-error``."""
    kind = FORMATS.get(request.format.lower())
    if kind is None:
        raise Unprocessable(FORMAT_UNKNOWN.code, FORMAT_UNKNOWN.detail())
    if kind is ModelFormat.ONNX:
        _check_graph(request)
    elif not request.architecture:
        errors: list[dict[str, object]] = [{"loc": ["body", "architecture"], "msg": "needed for this format"}]
        raise Unprocessable(ARCHITECTURE_REQUIRED.code, ARCHITECTURE_REQUIRED.detail(), errors=errors)
    row = ModelRow(
        id=new_id(),
        name=request.name,
        version=request.version or next_version(session, ModelRow, request.name),
        tags=request.tags,
        architecture=request.architecture,
        format=kind.value,
        class_names=request.class_names,
        preprocessing=request.preprocessing.stored(),
        target_layer=request.target_layer,
        weights_key=request.weights_key,
        ignore_tensors=request.ignore_tensors,
        description=described_request(request, DESCRIBED, request.told),
        output=request.output.model_dump(mode="json"),
        architecture_options=request.architecture_options,
        head=None if request.head is None else Head(layers=tuple(request.head)).model_dump(mode="json"),
        extra=request.metadata,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def _check_graph(request: ModelRequest) -> None:
    """A graph is the network: what says which network the weights fit has nothing to say."""
    said = [name for name in OF_WEIGHTS if getattr(request, name)]
    if said:
        errors: list[dict[str, object]] = [
            {"loc": ["body", name], "msg": "an ONNX file is the network itself; leave it out"} for name in said
        ]
        raise Unprocessable("validation-error", "The request is not valid.", errors=errors)


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
        raise Conflict("model-in-use", f"The run group {group} refers to the model; delete that first.")
    session.delete(row)
    session.flush()
    return digests_of(row)
