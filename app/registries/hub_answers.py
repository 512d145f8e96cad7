"""What a Hub answers: repositories, their commits, files and pages."""

import hashlib
import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.egress.answers import Answer, malformed
from app.registries.base import Version
from app.registries.listed import Listed
from app.registries.server_answers import Json, safe_path
from app.registries.uri_forms import HubUri

DATASETS = "datasets"
"""How the paths of data sets begin, where those of models begin with their owner."""
COMMIT = re.compile(r"[0-9a-f]{40}")
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')


def version_of(told: Any) -> Version:
    """Of a repository, the commit that it tells. Raises EgressFailure."""
    try:
        name, commit = HubUri.read(f"hf://{told['id']}").repository, str(told["sha"])
        changed = milliseconds(told.get("lastModified"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed("it tells no repository") from error
    if not COMMIT.fullmatch(commit):
        raise malformed("it names no commit")
    return Version(name, commit, created_ms=changed)


def milliseconds(told: object) -> int:
    """0 where nobody says. Raises ValueError for what is no time."""
    return 0 if not told else int(datetime.fromisoformat(str(told)).timestamp() * 1000)


def siblings_of(told: Json) -> dict[str, Json]:
    """The files of a commit by their paths. Raises EgressFailure."""
    try:
        return {safe_path(str(one["rfilename"])): one for one in told.get("siblings") or ()}
    except (KeyError, TypeError) as error:
        raise malformed("it lists no files") from error


def cursor_of(answer: Answer) -> str | None:
    """Of the page that follows."""
    following = _NEXT.search(answer.headers.get("link", ""))
    named = parse_qs(urlsplit(following[1]).query).get("cursor") if following else None
    return named[0] if named else None


def listed_of(told: Json) -> Listed:
    """A file, pinned by its digest. Raises EgressFailure."""
    large = told.get("lfs")
    try:
        pin = f"sha256:{large['oid']}" if isinstance(large, dict) else f"git:{told['oid']}"
        return Listed(safe_path(str(told["path"])), pin, int(told["size"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise malformed("it lists a file without its digest or size") from error


def is_pinned(data: bytes, pin: str) -> bool:
    """Whether these are the bytes of the file that was listed so."""
    kind, _, digest = pin.partition(":")
    before = f"blob {len(data)}\0".encode() if kind == "git" else b""
    algorithm = "sha1" if kind == "git" else "sha256"
    return hashlib.new(algorithm, before + data, usedforsecurity=False).hexdigest() == digest
