"""Why the service answers no request of this form, or none at the moment."""

from app.domain.problems.problem_type import ProblemType
from app.errors import (
    HeadersTooLarge,
    RequestError,
    SalienceError,
    TooLarge,
    TooSlow,
    Unavailable,
    Unprocessable,
    UnsupportedMediaType,
)

MALFORMED_JSON = ProblemType(RequestError, "malformed-json", "The body is not valid JSON in UTF-8.")
JSON_TOO_LARGE = ProblemType(TooLarge, "payload-too-large", "A JSON body may have {most} bytes.{told}")
NOT_JSON = ProblemType(UnsupportedMediaType, "unsupported-media-type", "The body must be application/json.{told}")
COMPRESSED = ProblemType(UnsupportedMediaType, "unsupported-content-encoding", "Bodies must not be compressed.")
INVALID = ProblemType(Unprocessable, "validation-error", "The request does not fit the schema.")
INVALID_CURSOR = ProblemType(Unprocessable, "invalid-cursor", "The cursor is not one of this list's.")
KEY_REUSED = ProblemType(Unprocessable, "idempotency-key-reused", "The Idempotency-Key was used with another body.")
HEADERS_TOO_LARGE = ProblemType(
    HeadersTooLarge, "headers-too-large", "The request's headers are too large or too many."
)
BODY_TOO_SLOW = ProblemType(TooSlow, "request-timeout", "The body did not arrive in time.")
OUR_FAULT = ProblemType(
    SalienceError, "internal-error", "Something went wrong here; the request id finds it in the logs."
)
BROKER_AWAY = ProblemType(Unavailable, "broker-unavailable", "The task broker cannot be reached.")
DATABASE_AWAY = ProblemType(Unavailable, "database-unavailable", "The database cannot be reached.")
OVERLOADED = ProblemType(Unavailable, "overloaded", "Too many {what} at once; come again.")
REPORT_TOO_SLOW = ProblemType(Unavailable, "report-timeout", "Drawing the report took too long.")

QUOTA = "The tenant may have {most} {what}."
ADDRESS_NOT_PUBLIC = "The host's address is not public, and the operator does not allow it."
