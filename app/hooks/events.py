"""What a delivery says, whichever registry it is from. The body is data: it names no address and no data set."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from app.domain.stored_text import is_plain
from app.registries.uris import FOLLOWED, uri_of


class VersionEvent(StrEnum):
    """What can happen to a version."""

    CREATED = "model_version.created"
    TAG_SET = "model_version_tag.set"
    ALIAS_SET = "model_version_alias.created"


MAIN, TAGS = "refs/heads/main", "refs/tags/"
_COMMIT = re.compile(r"[0-9a-f]{40}")
OURS = "salience."
"""How the tags begin that are written back: what tells of them is an echo."""
UNKNOWN = "unknown"
"""An event that has no name, or none that can be kept."""


@dataclass(frozen=True)
class RegistryEvent:
    """One that a policy may follow. Raises ValueError for names with control characters."""

    kind: VersionEvent
    model_name: str
    version: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Of a new version those that it was made with, else the one that was set."""
    alias: str | None = None
    source: str | None = None
    """Where its files are, of registries that only tell of them; None: the name and the version say it."""
    made_at: datetime | None = field(default=None, compare=False)
    """Of a new version, when the registry had it made, or told of it a moment later; None where it does not say."""

    def __post_init__(self) -> None:
        if not all(map(is_plain, (self.model_name, self.version, self.alias or ""))):
            raise ValueError("a version's name has control characters")


@dataclass(frozen=True)
class Ignored:
    """One that starts nothing, and why."""

    reason: str


def mlflow_event_name(body: bytes) -> str:
    """``model_version.created``; of what cannot be read, ``unknown``."""
    told = _object(body)
    entity, action = told.get("entity"), told.get("action")
    return f"{entity}.{action}"[:200] if isinstance(entity, str) and isinstance(action, str) else UNKNOWN


def mlflow_event(body: bytes) -> RegistryEvent | Ignored:
    """What MLflow 3 sends."""
    name = mlflow_event_name(body)
    data = _object(body).get("data")
    if name not in set(VersionEvent):
        return Ignored(f"Nothing follows from {name}.")
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or "version" not in data:
        return Ignored("It names no version.")
    if _is_test(data):
        return Ignored("It is the test of the registry's own button.")
    if not _reads("mlflow", data["name"], data["version"]):
        return Ignored("It names no version that could be fetched.")
    kind, told = VersionEvent(name), (data["name"], str(data["version"]), _tags(data), _text(data.get("alias")))
    made_at = _time(_object(body).get("timestamp")) if kind is VersionEvent.CREATED else None
    event = RegistryEvent(kind, *told, made_at=made_at)
    if event.kind is VersionEvent.TAG_SET and all(tag.startswith(OURS) for tag in event.tags):
        return Ignored("The tag is one that this service writes.")
    return event


def hub_event_name(body: bytes) -> str:
    """``repo.content.update``; of what cannot be read, ``unknown``."""
    event = _object(body).get("event")
    scope, action = (event.get("scope"), event.get("action")) if isinstance(event, dict) else (None, None)
    return f"{scope}.{action}"[:200] if isinstance(scope, str) and isinstance(action, str) else UNKNOWN


def hub_events(body: bytes) -> list[RegistryEvent] | Ignored:
    """What the Hugging Face Hub sends: a new commit of ``main`` is a version, a tag of git an alias. One push may do
    both, and set several tags."""
    name, told = hub_event_name(body), _object(body)
    repository, moved = told.get("repo"), told.get("updatedRefs")
    if not name.startswith("repo.content"):
        return Ignored(f"Nothing follows from {name}.")
    if not isinstance(repository, dict) or repository.get("type") != "model" or not isinstance(moved, list):
        return Ignored("It tells of no model's commits.")
    refs = {str(one.get("ref")): str(one.get("newSha")) for one in moved if isinstance(one, dict)}
    followed = [ref for ref in (MAIN, *sorted(refs)) if ref in refs and (ref == MAIN or ref.startswith(TAGS))]
    if not followed:
        return Ignored("Neither main nor a tag was moved.")
    repository_name = str(repository.get("name"))
    commits = {ref: refs[ref] for ref in followed if _COMMIT.fullmatch(refs[ref])}
    if not commits or not all(_reads("huggingface", repository_name, commit) for commit in commits.values()):
        return Ignored("It names no commit that could be fetched.")
    return [_moved(ref, repository_name, commit) for ref, commit in commits.items()]


def _moved(ref: str, repository: str, commit: str) -> RegistryEvent:
    if ref == MAIN:
        return RegistryEvent(VersionEvent.CREATED, repository, commit)
    return RegistryEvent(VersionEvent.ALIAS_SET, repository, commit, alias=ref.removeprefix(TAGS))


def is_version(name: object, version: object) -> bool:
    """Whether some registry could have it."""
    return any(_reads(kind, name, version) for kind in FOLLOWED)


def is_named(name: str, version: str) -> bool:
    """Whether they can be shown: nothing is fetched by them."""
    return all(0 < len(text) <= 250 and is_plain(text) for text in (name, version))


def _reads(kind: str, name: object, version: object) -> bool:
    try:
        uri_of(kind, str(name), str(version))
    except ValueError:
        return False
    return True


def _is_test(data: Mapping[str, Any]) -> bool:
    """What MLflow's button sends: examples of its own."""
    marks = (data.get("run_id") == "abcd1234abcd5678", data.get("key") == "example_key")
    return data["name"] == "example_model" and (any(marks) or data.get("alias") == "example_alias")


def _tags(data: Mapping[str, Any]) -> dict[str, str]:
    if isinstance(data.get("key"), str):
        return {data["key"]: str(data.get("value", ""))}
    tags = data.get("tags")
    return {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _time(value: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _object(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
