"""Why content is not taken in, described or handed out."""

from app.domain.problems.problem import Problem
from app.errors import Conflict, Gone, InsufficientStorage, RequestError, TransientFailure, Unprocessable

CUT_OFF = Problem(RequestError, "upload-cut-off", "The body ended before its length.")
EMPTY = Problem(Unprocessable, "empty-body", "The body is empty.")
NO_WEIGHTS = Problem(Unprocessable, "model-invalid", "The file is empty: it holds no weights.")
MALFORMED_DIGEST = Problem(Unprocessable, "malformed-digest", "Content-Digest is not of the form sha-256=:BASE64:.")
CHECKSUM_MISMATCH = Problem(Unprocessable, "checksum-mismatch", "The body's SHA-256 is not the one in Content-Digest.")
ALREADY_SET = Problem(
    Conflict, "content-already-set", "The content is there and cannot be replaced; register a new resource."
)
ALREADY_DESCRIBED = Problem(
    Conflict,
    "model-already-described",
    "Only a model that needs_description can be described; register it again with other fields.",
)
DESCRIPTION_INVALID = Problem(Unprocessable, "description-invalid", "The model's description does not fit: {fields}.")
SAMPLE_UNREADABLE = Problem(Unprocessable, "sample-unreadable", "The sample could not be read; its problem says why.")
IMAGE_LOST = Problem(Gone, "artifact-corrupted", "The stored image is lost, or is not what was uploaded.")
STORE_FULL = Problem(InsufficientStorage, "insufficient-storage", "The blob store is full.")
STORE_AWAY = Problem(TransientFailure, "storage-unavailable", "The blob store cannot be reached.")
