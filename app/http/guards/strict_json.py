"""JSON bodies before the framework sees them: size, media type, UTF-8, no duplicates, no NaN, no NUL."""

import json
import math
from itertools import chain
from typing import Any, NoReturn

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.problems import service
from app.domain.stored_text import UNSTORABLE, is_storable
from app.errors import RequestError, SalienceError, Unprocessable
from app.http.guards.codings import is_compressed
from app.http.problems import problem_response
from app.http.two_steps import TwoSteps

MAX_DEPTH = 32

_BODY_METHODS = frozenset({"POST", "PATCH"})


class StrictJson:
    """ASGI middleware: reads the body of a POST or PATCH whole, judges it and hands it on."""

    def __init__(self, app: ASGIApp, max_bytes: int, two_steps: TwoSteps) -> None:
        self._app = app
        self._two_steps = two_steps
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if b"%00" in scope["query_string"]:
                raise Unprocessable("validation-error", "The query holds a NUL character.")
            if scope["method"] in _BODY_METHODS:
                self._two_steps.refuse_posted_file(scope["method"], scope["path"])
                body = await self._read(scope["path"], receive)
                if body is None:
                    return
                self._judge(Headers(scope=scope), scope["path"], body)
                receive = _replay(body, receive)
        except SalienceError as error:
            await problem_response(error, scope["state"]["request_id"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _read(self, path: str, receive: Receive) -> bytes | None:
        """None where the caller is gone before the body's end."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                told = self._two_steps.told(path)
                raise service.JSON_TOO_LARGE.error(most=self._max_bytes, told=told)
            more = message.get("more_body", False)
        return bytes(body)

    def _judge(self, headers: Headers, path: str, body: bytes) -> None:
        if not body:
            return
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise service.NOT_JSON.error(told=self._two_steps.told(path))
        if is_compressed(headers):
            raise service.COMPRESSED.error()
        parse_strictly(body)


def parse_strictly(body: bytes) -> Any:
    """The JSON value. Raises RequestError ``malformed-json`` (400) or Unprocessable for what nobody can store."""
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except (ValueError, RecursionError) as error:
        raise service.MALFORMED_JSON.error() from error
    _check_parts(value)
    return value


def _check_parts(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        if any(isinstance(part, str) and not is_storable(part) for part in level):
            raise Unprocessable("validation-error", f"A string holds {UNSTORABLE}.")
        objects = [part for part in level if isinstance(part, dict)]
        lists = [part for part in level if isinstance(part, list)]
        level = [*chain.from_iterable(objects), *chain.from_iterable(part.values() for part in objects)]
        level += chain.from_iterable(lists)
        if not level:
            return
    raise RequestError("malformed-json", f"The body is nested more than {MAX_DEPTH} levels deep.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
