"""CloudEvents 1.0 over HTTP: structured, binary and batch mode, read by the project's own package."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloudevents.core.bindings.http import HTTPMessage, from_http_event, to_structured
from cloudevents.core.exceptions import BaseCloudEventException
from cloudevents.core.formats.json import JSONFormat

from app.hooks.mapping import read

BATCH = "application/cloudevents-batch+json"
STRUCTURED = {"content-type": "application/cloudevents+json"}
MOST = 100
"""Of a batch; more of them would be more work than one delivery may ask for."""


@dataclass(frozen=True)
class Part:
    """One event in structured form; source and id together are its own."""

    key: str
    type: str
    body: bytes


def parts_of(headers: Mapping[str, str], body: bytes) -> list[Part]:
    """Empty where the delivery is no CloudEvent; of a batch what can be read."""
    if not headers.get("content-type", "").lower().startswith(BATCH):
        return list(_part(headers, body))
    batch = read(body)
    several = batch[:MOST] if isinstance(batch, list) else []
    return [part for one in several for part in _part(STRUCTURED, json.dumps(one).encode())]


def _part(headers: Mapping[str, str], body: bytes) -> Iterator[Part]:
    try:
        event = from_http_event(HTTPMessage(headers=dict(headers), body=body))
        structured = to_structured(event, JSONFormat()).body
    except (BaseCloudEventException, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return
    key = hashlib.sha256(json.dumps([event.get_source(), event.get_id()]).encode()).hexdigest()
    yield Part(key, event.get_type()[:200], structured)
