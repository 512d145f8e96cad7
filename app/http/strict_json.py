"""JSON bodies before the framework sees them: size, media type, UTF-8, no duplicates, no NaN, no NUL."""

import json
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import RequestError, SalienceError, TooLarge, Unprocessable, UnsupportedMediaType
from app.http.problems import MEDIA_TYPE, STATUS_OF, problem_document

_BODY_METHODS = frozenset({"POST", "PATCH"})


class StrictJson:
    """ASGI middleware: reads the body of a POST or PATCH whole, judges it and hands it on."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            if b"%00" in scope["query_string"]:
                raise Unprocessable("validation-error", "The query holds a NUL character.")
            if scope["method"] in _BODY_METHODS:
                body = await self._read(receive)
                self._judge(dict(scope["headers"]), body)
                receive = _replay(body, receive)
        except SalienceError as error:
            await _refuse(scope, send, error)
            return
        await self._app(scope, receive, send)

    async def _read(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        more = True
        while more:
            message = await receive()
            parts.append(message.get("body", b""))
            if sum(map(len, parts)) > self._max_bytes:
                raise TooLarge("payload-too-large", f"A JSON body may have {self._max_bytes} bytes.")
            more = message.get("more_body", False)
        return b"".join(parts)

    def _judge(self, headers: dict[bytes, bytes], body: bytes) -> None:
        if not body:
            return
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if kind != b"application/json" and not kind.endswith(b"+json"):
            raise UnsupportedMediaType("unsupported-media-type", "The body must be application/json.")
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UnsupportedMediaType("unsupported-content-encoding", "Bodies must not be compressed.")
        parse_strictly(body)


def parse_strictly(body: bytes) -> Any:
    """The JSON value. Raises RequestError ``malformed-json`` (400) or Unprocessable for text nobody can store."""
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError("malformed-json", "The body is not valid JSON in UTF-8.") from error
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, str) and ("\0" in part or any("\ud800" <= letter <= "\udfff" for letter in part)):
            raise Unprocessable("validation-error", "A string holds a NUL character or half a surrogate pair.")
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


async def _refuse(scope: Scope, send: Send, error: SalienceError) -> None:
    status = STATUS_OF[type(error)]
    document = problem_document(status, error.code, error.detail, scope["state"]["request_id"])
    headers = [(b"content-type", MEDIA_TYPE.encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(document).encode()})
