"""Which requests are sent again, and after which pauses."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

PASSING = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may be answered better."""
REPEATABLE = frozenset({"GET", "PUT", "PATCH"})
"""Methods that may be sent twice as they are; a POST may where it has an Idempotency-Key."""
DRAWN_TOO_LONG = "report-timeout"
"""Of a 503 that would be no better the next time."""
KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class Retries:
    """How often a request is sent again, and after which pauses, which double."""

    times: int = 5
    first_seconds: float = 0.25
    longest_seconds: float = 60.0

    def pause(self, attempt: int, answer: httpx.Response | None = None) -> float:
        """Seconds after the attempt of that number (from 0): what Retry-After asks, or up to twice the last pause."""
        asked = None if answer is None else asked_pause(answer.headers.get("retry-after"))
        drawn = self.first_seconds * 2**attempt * random.uniform(0.5, 1)  # noqa: S311 - no secret
        return min(drawn if asked is None else asked, self.longest_seconds)


def is_repeatable(request: httpx.Request) -> bool:
    return request.method in REPEATABLE or KEY_HEADER in request.headers


def will_pass(answer: httpx.Response) -> bool:
    return answer.status_code in PASSING and _code(answer) != DRAWN_TOO_LONG


def _code(answer: httpx.Response) -> object:
    """Of a problem document; None where it is none."""
    try:
        return answer.json()["code"]
    except (ValueError, KeyError, TypeError):
        return None


def asked_pause(retry_after: str | None) -> float | None:
    """Seconds from a number or a date (RFC 9110); None where there is neither."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdecimal():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None
