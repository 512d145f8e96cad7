"""``ETag`` and 304 (RFC 9110, 13): who has the answer already is told so, and is sent nothing.

The tag is made of the answer's bytes, so that it is never older than they are. It is weak, since the same answer may be
sent compressed. An answer that says itself that it is to be kept nowhere gets none.
"""

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_OF_A_BODY = ("content-length", "content-type", "content-disposition")
_ASK_FIRST = "private, no-cache"
_KEEP_NOWHERE = "no-store"


class Validators:
    """ASGI middleware: complete answers to GET get a tag; streams do not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, Headers(scope=scope).getlist("if-none-match"))
        await self._app(scope, receive, answer.send)


class _Answer:
    """Its head waits for the first piece of its body."""

    def __init__(self, send: Send, known: list[str]) -> None:
        self._send = send
        self._known = ",".join(known)
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._head = message
            return
        head, self._head = self._head, None
        if head is not None and message["type"] == "http.response.body" and not message.get("more_body", False):
            head, message = self._validated(head, message)
        if head is not None:
            await self._send(head)
        await self._send(message)

    def _validated(self, head: Message, body: Message) -> tuple[Message, Message]:
        headers = MutableHeaders(raw=list(head["headers"]))
        if headers.get("cache-control") == _KEEP_NOWHERE:
            return head, body
        tag = hashlib.sha256(body.get("body", b"")).hexdigest()[:32]
        headers["ETag"] = f'W/"{tag}"'
        headers.setdefault("Cache-Control", _ASK_FIRST)
        if not self._is_known(tag):
            return {**head, "headers": headers.raw}, body
        for name in _OF_A_BODY:
            del headers[name]
        return {**head, "status": 304, "headers": headers.raw}, {"type": "http.response.body", "body": b""}

    def _is_known(self, tag: str) -> bool:
        return self._known.strip() == "*" or tag in _TAG.findall(self._known)
