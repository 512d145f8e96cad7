"""Requests that are sent again where that is safe and may help."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO
from uuid import uuid4

import httpx

from salience_audit.answers import checked, document_of
from salience_audit.configuration import Address
from salience_audit.errors import Json, TooSlow, Unreachable
from salience_audit.retries import KEY_HEADER, Retries, asked_pause, is_repeatable, will_pass

DRAWING_SECONDS = 200.0
"""A report waits up to 60 seconds for its turn and is drawn for up to 120."""
PAGE_ITEMS = 200


class Connection:
    """One service: its address, the key, pooled connections."""

    def __init__(self, address: Address, retries: Retries, timeout_seconds: float) -> None:
        headers = {"Authorization": f"Bearer {address.api_key}"} if address.api_key else {}
        self.url = address.url
        self.retries = retries
        self._http = httpx.Client(base_url=address.url, headers=headers, timeout=timeout_seconds)

    def close(self) -> None:
        self._http.close()

    def address(self, path: str) -> str:
        """The absolute address of a path as an answer tells it: with the proxy's prefix, or without."""
        own = httpx.URL(self.url)
        prefix = own.path.rstrip("/")
        return str(own.join(path if path.startswith(f"{prefix}/") else prefix + path))

    def get(self, path: str, **params: Any) -> Json:
        """The JSON of a resource; parameters that are None are left out."""
        return document_of(self.answer("GET", path, params=_named(params)))

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Json:
        """Under an Idempotency-Key, so that sending it again makes nothing new."""
        headers = {KEY_HEADER: key or str(uuid4())}
        return document_of(self.answer("POST", path, json=None if body is None else _named(body), headers=headers))

    def patch(self, path: str, body: Json) -> Json:
        """A field that is None is emptied."""
        return document_of(self.answer("PATCH", path, json=body))

    def pages(self, path: str, **params: Any) -> Iterator[Json]:
        """The items of a list, page by page."""
        cursor = None
        while True:
            page = self.get(path, limit=PAGE_ITEMS, cursor=cursor, **params)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def content(self, path: str, accept: str, **params: Any) -> bytes:
        """A resource in another form than JSON."""
        return self.answer("GET", path, params=_named(params), headers={"Accept": accept}).content

    def drawn(self, path: str, accept: str) -> bytes:
        """A report or a figure, which is long in the making. Raises TooSlow."""
        own = self._http.timeout
        timeout = httpx.Timeout(own.connect, read=max(DRAWING_SECONDS, own.read or 0.0))
        headers = {"Accept": accept}
        try:
            return self.send(lambda: self._http.build_request("GET", path, headers=headers, timeout=timeout)).content
        except Unreachable as error:
            if isinstance(error.__cause__, httpx.ReadTimeout):
                raise TooSlow(self.url, timeout.read or 0.0) from error
            raise

    def answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Raises ApiError for an error answer, Unreachable where there is none."""
        return self.send(lambda: self._http.build_request(method, path, **options))

    def put(self, path: str, content: Callable[[], Iterator[bytes]], headers: dict[str, str]) -> Json:
        """``content`` is asked for anew each time that it is sent."""
        return document_of(self.send(lambda: self._http.build_request("PUT", path, content=content(), headers=headers)))

    def send(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """Send what ``build`` makes until an answer is final. Raises ApiError, Unreachable."""
        for attempt in range(self.retries.times + 1):
            request, answer = build(), None
            is_last = attempt == self.retries.times or not is_repeatable(request)
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                if is_last or _waited_for_a_drawing(request, error):
                    raise Unreachable(self.url, str(error) or type(error).__name__) from error
            if answer is not None and (is_last or not will_pass(answer)):
                return checked(answer)
            time.sleep(self.retries.pause(attempt, answer))
        raise AssertionError("the last attempt returns or raises")

    def saved(self, path: str, file: BinaryIO, **params: Any) -> float | None:
        """Write an answer's bytes as they come; of a 202 the seconds after which to come again, else None.

        Raises ApiError, and Unreachable where the line is lost on the way.
        """
        query = str(httpx.QueryParams(_named(params)))
        try:
            with self.stream(f"{path}?{query}", {}, DRAWING_SECONDS) as answer:
                if answer.status_code == httpx.codes.ACCEPTED:
                    return asked_pause(answer.headers.get("retry-after")) or self.retries.first_seconds
                file.writelines(answer.iter_bytes())
        except httpx.TransportError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from error
        return None

    @contextmanager
    def stream(self, path: str, headers: dict[str, str], silence_seconds: float) -> Iterator[httpx.Response]:
        """An answer whose body goes on, sent once. Raises ApiError, or httpx.TransportError as it is."""
        timeout = httpx.Timeout(self._http.timeout.connect, read=silence_seconds)
        with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
            if answer.is_error:
                answer.read()
            yield checked(answer)


def _named(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _waited_for_a_drawing(request: httpx.Request, error: httpx.TransportError) -> bool:
    """It was begun and is not done: who asks again has it begun once more."""
    return isinstance(error, httpx.ReadTimeout) and request.extensions["timeout"]["read"] >= DRAWING_SECONDS
