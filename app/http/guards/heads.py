"""HEAD wherever GET is (RFC 9110, 9.3.2): the same request, the same answer, no body."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _AnswerBegun(Exception):
    """A body that goes on need not be made for somebody who asked for none."""


class HeadAsGet:
    """ASGI middleware: the routes see a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b""})
            if message.get("more_body", False):
                raise _AnswerBegun

        try:
            as_get = {**scope, "method": "GET"}
            await self._app(as_get, receive, send_without_body)
        except _AnswerBegun:
            pass
        finally:
            scope["route"] = as_get.get("route")  # for the log
