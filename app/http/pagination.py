"""Lists are pages ``{items, next_cursor}``; a cursor is opaque to the caller and names the last item seen."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from app.db.pages import Row, Rows
from app.domain.problems.service import INVALID_CURSOR
from app.errors import RequestError
from app.http.guards.strict_json import parse_strictly

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """Some items of a list; ``next_cursor`` null at its end."""

    items: list[Item]
    next_cursor: str | None = Field(None, examples=["WyIwMTljIl0"])


@dataclass(frozen=True)
class PageParams:
    """How many items, and after which."""

    limit: Annotated[int, Query(ge=1, le=1000, description="Items a page, fewer where they are large.")] = 50
    cursor: Annotated[str | None, Query(max_length=2000, description="`next_cursor` of the page before.")] = None

    def after(self, length: int) -> list[Any] | None:
        """The key of the last item seen, of so many parts. Raises Unprocessable ``invalid-cursor``."""
        if self.cursor is None:
            return None
        try:
            padded = self.cursor + "=" * (-len(self.cursor) % 4)
            key = parse_strictly(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (ValueError, RequestError) as error:
            raise INVALID_CURSOR.error() from error
        if not isinstance(key, list) or len(key) != length or any(map(_is_beyond_any_column, key)):
            raise INVALID_CURSOR.error()
        return key

    def after_id(self) -> UUID | None:
        """The id of the last item seen."""
        key = self.after(1)
        try:
            return None if key is None else UUID(str(key[0]))
        except ValueError as error:
            raise INVALID_CURSOR.error() from error


PageDep = Annotated[PageParams, Depends()]


def encode_cursor(key: Sequence[Any]) -> str:
    """Base64 of a JSON list, safe in a URL."""
    return base64.urlsafe_b64encode(json.dumps(list(key), separators=(",", ":")).encode()).decode().rstrip("=")


def make_page(rows: Rows[Row], show: Callable[[Row], Item], key: Callable[[Row], Sequence[Any]]) -> Page[Item]:
    """``key`` is what the cursor keeps of the last row."""
    cursor = encode_cursor(key(rows.items[-1])) if rows.more else None
    return Page(items=[show(row) for row in rows.items], next_cursor=cursor)


def _is_beyond_any_column(part: Any) -> bool:
    return isinstance(part, int) and not -(2**63) <= part < 2**63
