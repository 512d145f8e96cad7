"""Text from elsewhere: whether the database takes it, since Postgres has neither NUL nor half a surrogate pair, and
whether it may name something.
"""

import re
from typing import Any

UNSTORABLE = "a NUL character or half a surrogate pair"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNPRINTABLE = r"\x00-\x1f\x7f-\x9f\ud800-\udfff"
"""Within a set of a regular expression: control characters and halves of surrogate pairs."""
_UNPRINTABLE = re.compile(f"[{UNPRINTABLE}]")


def is_plain(text: str) -> bool:
    """Without what no database, address or header takes."""
    return _UNPRINTABLE.search(text) is None


def is_storable(text: str) -> bool:
    """Whether a column takes it."""
    return _UNSTORABLE.search(text) is None


def is_storable_json(value: object) -> bool:
    """The same of a whole document, its names too, however deep it is."""
    waiting: list[Any] = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            if not is_storable(part):
                return False
        elif isinstance(part, dict):
            waiting += [*part, *part.values()]
        elif isinstance(part, (list, tuple)):
            waiting += part
    return True
