"""How long one fetch has its lane while others wait for one."""

import time
from collections.abc import Callable
from typing import Protocol

from app.errors import EgressFailure

TURN_SECONDS = 60.0
RENEW_SECONDS = 30.0
LOOK_SECONDS = 1.0


class TurnOver(Exception):
    """Somebody else waits: the fetch goes on later, from where it is."""


class MustEnd(Protocol):
    """Says whether somebody else waits for a lane, of a fetch that goes on where it was or would begin anew."""

    def __call__(self, *, goes_on: bool) -> bool: ...


class Turn:
    """Of one claim; called again and again while something is fetched, and before whatever is asked of a server."""

    def __init__(self, renew: Callable[[], None], must_end: MustEnd, most_seconds: float) -> None:
        """``renew`` extends the lease."""
        self.goes_on = False
        """Whether what has come is kept: whoever fetches says so, once something has."""
        self._renew = renew
        self._must_end = must_end
        begun = time.monotonic()
        self._until, self._renews_at, self._looks_at = begun + most_seconds, begun + RENEW_SECONDS, begun + TURN_SECONDS

    def __call__(self) -> None:
        """Raises ImportLost, TurnOver, and EgressFailure where it takes longer than it may."""
        now = time.monotonic()
        if now > self._until:
            raise EgressFailure("answer-too-slow", "All files together took longer than they may (IMPORT_SECONDS).")
        if now > self._renews_at:
            self._renews_at = now + RENEW_SECONDS
            self._renew()
        self.let_others_in()

    def let_others_in(self) -> None:
        """Raises TurnOver."""
        now = time.monotonic()
        if now < self._looks_at:
            return
        self._looks_at = now + LOOK_SECONDS
        if self._must_end(goes_on=self.goes_on):
            raise TurnOver
