"""A file comes in by two steps; whoever takes them for one is told both."""

import re

from app.errors import MethodNotAllowed

_COLLECTION = re.compile(r"/v1/(models|datasets|map-sets)")
_CONTENT = re.compile(rf"({_COLLECTION.pattern})/[^/]+/(content|reference)")
_FIELDS = {"map-sets": '"name", "dataset_id", "kind"', "models": '"name", "format", "architecture", ...'}


def refuse_posted_file(method: str, path: str) -> None:
    """Before its body is read. Raises MethodNotAllowed."""
    found = _CONTENT.fullmatch(path)
    if method == "POST" and found:
        raise MethodNotAllowed(f"PUT the file to this address. {_told(found[1])}", "PUT")


def told_steps(path: str) -> str:
    """What to do instead, for a form or a file that was sent to a collection; empty anywhere else."""
    found = _COLLECTION.fullmatch(path)
    return f" {_told(path)}" if found else ""


def told_steps_of_content(path: str) -> str:
    """Likewise, for what came to the second step and is no file."""
    found = _CONTENT.fullmatch(path)
    return f" {_told(found[1])}" if found else ""


def _told(collection: str) -> str:
    fields = _FIELDS.get(collection.rpartition("/")[2], '"name"')
    return (
        f"A file comes in by two steps: POST {collection} with JSON ({{{fields}}}), "
        "then PUT the file itself, and nothing else, to the answer's content_url."
    )
