"""When a delivery is tried again, and what an answer means."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_MINUTE = 60.0
_HOUR = 60 * _MINUTE
WAITS = (5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""Seconds from one attempt to the next; the first comes at once, and after the tenth nothing does."""
ATTEMPTS = len(WAITS) + 1
JITTER = 0.1
LONGEST_PAUSE = 24 * _HOUR
GONE = 410
SLOW_DOWN = frozenset({429, 502, 504})
UNASKED_PAUSE = 5 * _MINUTE
"""At most, where a receiver has too much and does not say until when."""


@dataclass(frozen=True)
class Next:
    """What follows a failed attempt.

    ``wait_seconds`` to the next attempt, None where there is none; ``pause_seconds`` for which the webhook gets nothing
    else either; ``disabled`` says why it gets nothing more at all.
    """

    wait_seconds: float | None
    pause_seconds: float = 0.0
    disabled: str | None = None


def after_failure(attempt: int, status: int | None, retry_after: str | None, now: datetime) -> Next:
    """After the ``attempt``-th one (from 1), which had that answer, or None."""
    if status == GONE:
        return Next(None, disabled="The receiver answered 410: it wants nothing more.")
    if attempt >= ATTEMPTS:
        return Next(None, disabled=f"A delivery failed {ATTEMPTS} times.")
    wait = WAITS[attempt - 1] * random.uniform(1.0, 1.0 + JITTER)  # noqa: S311 - so that not all come at once
    asked = _asked_seconds(retry_after, now)
    pause = 0.0
    if status in SLOW_DOWN or asked:
        pause = min(LONGEST_PAUSE, asked or min(wait, UNASKED_PAUSE))
    return Next(max(wait, pause), pause)


def _asked_seconds(retry_after: str | None, now: datetime) -> float:
    """Seconds, or a date; 0 where it is neither."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (aware - now) / timedelta(seconds=1))
