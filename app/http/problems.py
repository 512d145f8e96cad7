"""The one table from errors to HTTP: every error answer is ``application/problem+json`` (RFC 9457)."""

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.domain.problems.service import DATABASE_AWAY, INVALID, OUR_FAULT
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
from app.observability.redaction import Redactor

logger = logging.getLogger(__name__)
redact = Redactor()

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
MAX_FIELD_PROBLEMS = 50
MAX_LOC_CHARACTERS = 100

_CODES = {404: "not-found", 405: "method-not-allowed", 413: "payload-too-large", 415: "unsupported-media-type"}


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


def install_handlers(app: FastAPI) -> None:
    """Every way in which a request can fail ends here."""
    app.add_exception_handler(SalienceError, _salience_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(IntegrityError, _changed_meanwhile)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(away, _database_away)


def status_of(kind: type[SalienceError]) -> int:
    """Of an error's class, or of the nearest one above it."""
    return next((STATUS_OF[one] for one in kind.__mro__ if one in STATUS_OF), HTTPStatus.INTERNAL_SERVER_ERROR)


def problem_response(error: SalienceError, request_id: str) -> JSONResponse:
    """The answer to a request that failed with this error."""
    status = status_of(type(error))
    errors = error.errors if isinstance(error, RequestError) else None
    answer = _problem(problem_document(status, error.code, error.detail, request_id), errors)
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
    return _problem(problem_document(500, OUR_FAULT.code, OUR_FAULT.detail(), request_id))


def _problem(document: dict[str, Any], errors: list[dict[str, Any]] | None = None) -> JSONResponse:
    content = document | ({"errors": errors} if errors else {})
    return JSONResponse(content, document["status"], media_type=MEDIA_TYPE)


def _answer(
    request: Request, status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> JSONResponse:
    return _problem(problem_document(status, code, detail, request.state.request_id), errors)


def _salience_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, SalienceError):
        raise error
    return problem_response(error, request.state.request_id)


def _validation_error(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    # The input itself is never repeated: it may hold a secret.
    found_first = error.errors()[:MAX_FIELD_PROBLEMS]
    errors = [{"loc": [_cut(part) for part in found["loc"]], "msg": found["msg"]} for found in found_first]
    if any(found["loc"][0] == "path" for found in errors):
        return _answer(request, 404, "not-found", "No such resource.")
    return _answer(request, 422, INVALID.code, INVALID.detail(), errors)


def _cut(part: str | int) -> str | int:
    """The name of a field that no schema has is the caller's own text; it may be a misplaced key."""
    return redact(part)[:MAX_LOC_CHARACTERS] if isinstance(part, str) else part


def _http_exception(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = _CODES.get(error.status_code, "malformed-request")
    answer = _answer(request, error.status_code, code, HTTPStatus(error.status_code).phrase + ".")
    answer.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        methods = _allowed_methods(request.app, request.url.path)
        answer.headers.update({"allow": methods} if methods else {})
    return answer


def _allowed_methods(app: FastAPI, path: str) -> str:
    """Of a path, as the OpenAPI document has them: the framework names those of one route, though several share it.

    Empty where the document does not know the path.
    """
    paths = app.openapi()["paths"]
    found = {method.upper() for template in paths if _matches(template, path) for method in paths[template]}
    return ", ".join(sorted(found | ({"HEAD"} if "GET" in found else set())))


def _matches(template: str, path: str) -> bool:
    parts = re.split(r"\{\w+\}", template)
    return re.fullmatch("[^/]+".join(map(re.escape, parts)), path) is not None


def _database_away(request: Request, error: Exception) -> JSONResponse:
    logger.warning("database unavailable: %s", type(error).__name__)
    return _answer(request, 503, DATABASE_AWAY.code, DATABASE_AWAY.detail())


def _changed_meanwhile(request: Request, error: Exception) -> JSONResponse:
    logger.info("request %s lost a race: %s", request.state.request_id, type(error).__name__)
    return _answer(request, 409, "changed-meanwhile", "What the request refers to changed meanwhile; send it again.")
