"""What a registry's server answered, checked before anybody uses it: its status, its form, the paths that it names."""

from typing import Any

from app.egress.answers import Answer, malformed
from app.errors import EgressFailure

Json = dict[str, Any]


def objects(value: object) -> list[Json]:
    """Those of a list, whatever else a server put into it."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def document(answer: Answer, server: str) -> Json:
    """The object that it is. Raises EgressFailure."""
    check_status(answer.status, server)
    found = answer.json()
    if not isinstance(found, dict):
        raise malformed("it is no object")
    return found


def check_status(status: int, server: str) -> None:
    """Raises EgressFailure; ``server`` says what it should be."""
    if 200 <= status < 300:
        return
    if status in {401, 403}:
        raise EgressFailure("registry-refuses", f"The registry refuses the connection's credentials (HTTP {status}).")
    if status in {400, 404}:
        raise EgressFailure("registry-not-found", f"The registry does not know it, or is no {server} (HTTP {status}).")
    passing = status == 429 or status >= 500
    raise EgressFailure("registry-failed", f"The registry answered HTTP {status}.", passing=passing)


def safe_path(path: str) -> str:
    """Raises EgressFailure for one that leads out."""
    if not path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise malformed("it names a path that leads out")
    return path
