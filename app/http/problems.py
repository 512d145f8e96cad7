"""Errors as HTTP answers: every one is ``application/problem+json`` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from app.domain.problems.service import OUR_FAULT
from app.errors import (
    AddressNotAllowed,
    Conflict,
    Gone,
    HeadersTooLarge,
    InsufficientScope,
    InsufficientStorage,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    RequestError,
    SalienceError,
    TooLarge,
    TooSlow,
    TransientFailure,
    Unauthenticated,
    Unavailable,
    Unprocessable,
    UnsupportedMediaType,
)

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[SalienceError], HTTPStatus] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    InsufficientScope: HTTPStatus.FORBIDDEN,
    RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    NotFound: HTTPStatus.NOT_FOUND,
    MethodNotAllowed: HTTPStatus.METHOD_NOT_ALLOWED,
    Gone: HTTPStatus.GONE,
    Conflict: HTTPStatus.CONFLICT,
    Unprocessable: HTTPStatus.UNPROCESSABLE_ENTITY,
    AddressNotAllowed: HTTPStatus.UNPROCESSABLE_ENTITY,
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InsufficientStorage: HTTPStatus.INSUFFICIENT_STORAGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    TransientFailure: HTTPStatus.SERVICE_UNAVAILABLE,
    RequestError: HTTPStatus.BAD_REQUEST,
}

CHALLENGE = 'Bearer realm="salience-audit"'


class FieldProblem(BaseModel):
    """One field at fault."""

    loc: list[str | int] = Field(examples=[["body", "preprocessing", "std"]])
    msg: str


class Problem(BaseModel):
    """RFC 9457 problem details; ``code`` is stable, for programs."""

    model_config = ConfigDict(title="Problem")

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No such model."])
    code: str = Field(examples=["not-found"])
    request_id: str
    errors: list[FieldProblem] | None = None


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for the OpenAPI document."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {"description": HTTPStatus(status).phrase, "model": Problem, "content": content}
        for status in sorted({*statuses, 500, 503})
    }


def problem_document(status: int, code: str, detail: str, request_id: str) -> dict[str, Any]:
    """The body of an error answer."""
    title = HTTPStatus(status).phrase
    document = {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}
    return document | {"request_id": request_id}


def status_of(kind: type[SalienceError]) -> int:
    """Of an error's class, or of the nearest one above it."""
    return next((STATUS_OF[one] for one in kind.__mro__ if one in STATUS_OF), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem_response(error: SalienceError, request_id: str) -> JSONResponse:
    """The answer to a request that failed with this error."""
    status = status_of(type(error))
    errors = error.errors if isinstance(error, RequestError) else None
    answer = answer_with(problem_document(status, error.code, error.detail, request_id), errors)
    answer.headers.update(_headers_of(error))
    return answer


def _headers_of(error: SalienceError) -> dict[str, str]:
    """RFC 6750: what a client must bring; RFC 9110: when it may come again."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(error, InsufficientScope):
        return {"WWW-Authenticate": f'{CHALLENGE}, error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": error.allow}
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_seconds)}
    return {}


def unexpected_response(request_id: str) -> JSONResponse:
    """The answer to a request that met a bug of ours."""
    return answer_with(problem_document(500, OUR_FAULT.code, OUR_FAULT.detail(), request_id))


def answer_with(document: dict[str, Any], errors: list[dict[str, Any]] | None = None) -> JSONResponse:
    content = document | ({"errors": errors} if errors else {})
    return JSONResponse(content, document["status"], media_type=MEDIA_TYPE)
