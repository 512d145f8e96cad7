"""Requests that are sent again where that is safe and may help."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO
from uuid import uuid4

import httpx

from salience_audit.configuration import Address
from salience_audit.errors import ApiError, Json, TooSlow, Unreachable

PASSING = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may be answered better."""

REPEATABLE = frozenset({"GET", "PUT", "PATCH"})
"""Methods that may be sent twice as they are; a POST may where it has an Idempotency-Key."""

DRAWN_TOO_LONG = "report-timeout"
"""Of a 503 that would be no better the next time."""

DRAWING_SECONDS = 200.0
"""A report waits up to 60 seconds for its turn and is drawn for up to 120."""

KEY_HEADER = "Idempotency-Key"
PAGE_ITEMS = 200


@dataclass(frozen=True)
class Retries:
    """How often a request is sent again, and after which pauses, which double."""

    times: int = 5
    first_seconds: float = 0.25
    longest_seconds: float = 60.0

    def pause(self, attempt: int, answer: httpx.Response | None = None) -> float:
        """Seconds after the attempt of that number (from 0): what Retry-After asks, or up to twice the last pause."""
        asked = None if answer is None else _asked(answer.headers.get("retry-after"))
        drawn = self.first_seconds * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - no secret
        return min(drawn if asked is None else asked, self.longest_seconds)


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
        return _document(self.answer("GET", path, params=_named(params)))

    def post(self, path: str, body: Json | None = None, *, key: str | None = None) -> Json:
        """Under an Idempotency-Key, so that sending it again makes nothing new."""
        headers = {KEY_HEADER: key or str(uuid4())}
        return _document(self.answer("POST", path, json=None if body is None else _named(body), headers=headers))

    def patch(self, path: str, body: Json) -> Json:
        """A field that is None is emptied."""
        return _document(self.answer("PATCH", path, json=body))

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
        return _document(self.send(lambda: self._http.build_request("PUT", path, content=content(), headers=headers)))

    def send(self, build: Callable[[], httpx.Request]) -> httpx.Response:
        """Send what ``build`` makes until an answer is final. Raises ApiError, Unreachable."""
        for attempt in range(self.retries.times + 1):
            request, answer = build(), None
            is_last = attempt == self.retries.times or not _is_repeatable(request)
            try:
                answer = self._http.send(request)
            except httpx.TransportError as error:
                if is_last or _waited_for_a_drawing(request, error):
                    raise Unreachable(self.url, str(error) or type(error).__name__) from error
            if answer is not None and (is_last or not _will_pass(answer)):
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
                    return _asked(answer.headers.get("retry-after")) or self.retries.first_seconds
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


def checked(answer: httpx.Response) -> httpx.Response:
    """Raises ApiError, also for errors and redirects that are not the service's own."""
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
        raise ApiError(problem | {"code": problem["code"], "detail": problem["detail"]}, answer.status_code)
    except (ValueError, KeyError, TypeError):
        raise ApiError(_of_somebody_else(answer), answer.status_code) from None


def _of_somebody_else(answer: httpx.Response) -> Json:
    """The service's own errors are problem documents; this is a proxy's in front of it, or another service's."""
    status, who = answer.status_code, answer.headers.get("server", "a proxy").partition("/")[0]
    if status == 413:
        way_out = "raise its limit on request bodies (nginx: client_max_body_size 0; with proxy_request_buffering off)"
        return {"code": "proxy-body-limit", "detail": f"{who}, in front of the service, takes no such body: {way_out}."}
    if status in {502, 503, 504}:
        way_out = "ask whoever runs the service whether its API is up, and whether the proxy waits long enough"
        detail = f"{who}, in front of the service, got no answer from it ({status}): {way_out}."
        return {"code": "proxy-no-answer", "detail": detail}
    kind = answer.headers.get("content-type", "nothing")
    detail = f"{answer.url} answered {status} with {kind}: is it the address of this service?"
    return {"code": "no-problem-document", "detail": detail}


def _document(answer: httpx.Response) -> Json:
    try:
        document: Json = answer.json()
    except ValueError:
        detail = f"{answer.url} answered something that is no JSON: is it the address of this service?"
        raise ApiError({"code": "no-json", "detail": detail}, answer.status_code) from None
    return document


def _is_repeatable(request: httpx.Request) -> bool:
    return request.method in REPEATABLE or KEY_HEADER in request.headers


def _waited_for_a_drawing(request: httpx.Request, error: httpx.TransportError) -> bool:
    """It was begun and is not done: who asks again has it begun once more."""
    return isinstance(error, httpx.ReadTimeout) and request.extensions["timeout"]["read"] >= DRAWING_SECONDS


def _will_pass(answer: httpx.Response) -> bool:
    return answer.status_code in PASSING and _code(answer) != DRAWN_TOO_LONG


def _code(answer: httpx.Response) -> object:
    """Of a problem document; None where it is none."""
    try:
        return answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return None


def _named(values: Json) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _asked(retry_after: str | None) -> float | None:
    """Seconds from a number or a date (RFC 9110); None where there is neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
