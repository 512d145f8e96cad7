"""What OCI registries tell: distribution's envelopes, Harbor's own form, and Harbor's CloudEvents."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.hooks.events import Ignored, RegistryEvent, VersionEvent
from app.hooks.mapping import read
from app.registries.oci import TAG
from app.registries.server_answers import objects
from app.registries.uris import uri_of

MOST = 100
"""Of one delivery."""
PUSHED = frozenset({"push", "PUSH_ARTIFACT", "harbor.artifact.pushed"})

Json = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """One of the artifacts that a delivery tells of, in one form whoever tells it."""

    key: str
    event: str
    body: bytes


def oci_parts(body: bytes) -> list[Part]:
    """At least one, whatever it is."""
    told = read(body)
    document: Json = told if isinstance(told, dict) else {}
    parts = list(_parts(document, hashlib.sha256(body).hexdigest()))[:MOST]
    return parts or [Part(hashlib.sha256(body).hexdigest(), "unknown", b"{}")]


def oci_event(body: bytes) -> RegistryEvent | Ignored:
    """Of one part."""
    told = read(body)
    kept: Json = told if isinstance(told, dict) else {}
    action, tag = str(kept.get("action")), str(kept.get("tag") or "")
    if action not in PUSHED:
        return Ignored(f"Nothing follows from {action[:200]}.")
    if not tag:
        return Ignored("It was pushed without a tag: a part of something else, or a verdict of this service.")
    repository, digest = str(kept.get("repository")), str(kept.get("digest"))
    try:
        uri_of("oci", repository, digest)
    except ValueError:
        return Ignored("It names no artifact that could be fetched, or an index of referrers.")
    if tag.startswith("sha256-"):
        return Ignored("The tag is that of an index of referrers.")
    return RegistryEvent(VersionEvent.CREATED, repository, digest, {TAG: tag})


def _parts(document: Json, digest: str) -> Iterator[Part]:
    for number, event in enumerate(objects(document.get("events"))):
        target = event.get("target")
        named = target if isinstance(target, dict) else {}
        key = event.get("id") if isinstance(event.get("id"), str) else None
        yield _part(key or f"{digest}-{number}", str(event.get("action")), named.get("repository"), named)
    inner = document.get("event_data") or document.get("data")
    if not isinstance(inner, dict):
        return
    own = json.dumps([document.get("source"), document.get("id")]) if "specversion" in document else digest
    repository = inner.get("repository")
    name = repository.get("repo_full_name") if isinstance(repository, dict) else None
    for number, resource in enumerate(objects(inner.get("resources"))):
        yield _part(f"{hashlib.sha256(own.encode()).hexdigest()}-{number}", str(document.get("type")), name, resource)


def _part(key: str, action: str, repository: object, named: Json) -> Part:
    kept = {"action": action, "repository": repository} | {name: named.get(name) for name in ("digest", "tag")}
    return Part(key[:200], action[:200], json.dumps(kept).encode())
