"""Every way in which a request can fail ends here, as a problem document."""

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from app.domain.problems.service import DATABASE_AWAY, INVALID
from app.errors import (
    SalienceError,
)
from app.http.problems import answer_with, problem_document, problem_response
from app.observability.redaction import Redactor

logger = logging.getLogger(__name__)
redact = Redactor()
MAX_FIELD_PROBLEMS = 50
MAX_LOC_CHARACTERS = 100

_CODES = {404: "not-found", 405: "method-not-allowed", 413: "payload-too-large", 415: "unsupported-media-type"}


def install_handlers(app: FastAPI) -> None:
    """Every way in which a request can fail ends here."""
    app.add_exception_handler(SalienceError, _salience_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(IntegrityError, _changed_meanwhile)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(away, _database_away)


def _answer(
    request: Request, status: int, code: str, detail: str, errors: list[dict[str, Any]] | None = None
) -> JSONResponse:
    return answer_with(problem_document(status, code, detail, request.state.request_id), errors)


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
