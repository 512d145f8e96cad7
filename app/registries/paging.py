"""Listings that come page by page, and must come to an end."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from app.egress.answers import malformed

Page = TypeVar("Page")
Ask = Callable[[str | None], tuple[Page, str | None]]
"""The page at a cursor, and the cursor of the one that follows; None: of the first, and behind the last."""


def pages(ask: Ask[Page], cursor: str | None = None, most: int | None = None) -> Iterator[Page]:
    """Up to ``most``. Raises EgressFailure where there are more, or one leads to itself."""
    for number in count(1):
        page, following = ask(cursor)
        yield page
        if following is None:
            return
        if following == cursor or number == most:
            raise malformed("it lists pages without an end")
        cursor = following
