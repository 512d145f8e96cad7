"""Versions as MLflow is asked for them, and as it tells them."""

import re
from typing import Any

from app.egress.answers import malformed
from app.registries.base import READY, Version

_GLOB = re.compile(r"\[[^\]]*\]|.", re.DOTALL)


def like(column: str, glob: str) -> str:
    """A condition of a search that holds wherever the pattern does, and perhaps elsewhere."""
    # What LIKE has no word for, and what would end the text, is any character.
    likes = {"*": "%", "?": "_", "'": "_", '"': "_", "\\": "_", "`": "_"}
    pattern = "".join("_" if len(part) > 1 else likes.get(part, part) for part in _GLOB.findall(glob))
    return f"{column} LIKE '{pattern}'"


def version_told(told: Any) -> Version:
    try:
        return Version(
            name=str(told["name"]),
            version=str(told["version"]),
            status=str(told.get("status", READY)),
            description=str(told.get("description") or ""),
            created_ms=int(told.get("creation_timestamp", 0)),
            run_id=str(told.get("run_id") or ""),
            tags={str(tag["key"]): str(tag.get("value", "")) for tag in told.get("tags", ())},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed("it tells no model version") from error
