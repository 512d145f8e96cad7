"""Why content is not taken in, described or handed out."""

from app.domain.problems.problem_type import ProblemType
from app.errors import Conflict, Gone, InsufficientStorage, RequestError, TransientFailure, Unprocessable

CUT_OFF = ProblemType(RequestError, "upload-cut-off", "The body ended before its length.")
EMPTY = ProblemType(Unprocessable, "empty-body", "The body is empty.")
NO_WEIGHTS = ProblemType(Unprocessable, "model-invalid", "The file is empty: it holds no weights.")
MALFORMED_DIGEST = ProblemType(Unprocessable, "malformed-digest", "Content-Digest is not of the form sha-256=:BASE64:.")
CHECKSUM_MISMATCH = ProblemType(
    Unprocessable, "checksum-mismatch", "The body's SHA-256 is not the one in Content-Digest."
)
ALREADY_SET = ProblemType(
    Conflict, "content-already-set", "The content is there and cannot be replaced; register a new resource."
)
ALREADY_DESCRIBED = ProblemType(
    Conflict,
    "model-already-described",
    "Only a model that needs_description can be described; register it again with other fields.",
)
DESCRIPTION_INVALID = ProblemType(
    Unprocessable, "description-invalid", "The model's description does not fit: {fields}."
)
SAMPLE_UNREADABLE = ProblemType(
    Unprocessable, "sample-unreadable", "The sample could not be read; its problem says why."
)
IMAGE_LOST = ProblemType(Gone, "artifact-corrupted", "The stored image is lost, or is not what was uploaded.")
STORE_FULL = ProblemType(InsufficientStorage, "insufficient-storage", "The blob store is full.")
STORE_AWAY = ProblemType(TransientFailure, "storage-unavailable", "The blob store cannot be reached.")
