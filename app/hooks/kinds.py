"""One kind of hook after the other: what it takes as proof, how it is kept, what follows from it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from app.db.tables import HookRow
from app.hooks.cloud_events import parts_of
from app.hooks.events import (
    Ignored,
    RegistryEvent,
    hub_event,
    hub_event_name,
    mlflow_event,
    mlflow_event_name,
)
from app.hooks.mapping import EventMapping, Proof
from app.hooks.oci import oci_event, oci_parts
from app.hooks.proofs import hub_delivery_id, is_bearer, is_signed, mlflow_delivery_id, shows_secret
from app.hooks.schemas import HookKind


@dataclass(frozen=True)
class Arrived:
    """An event to keep; one with a key that is there already is the same."""

    key: str
    event: str
    body: bytes


@dataclass(frozen=True)
class Delivered:
    """What came: headers with names in small letters, and the body as it is."""

    headers: Mapping[str, str]
    body: bytes
    at: datetime


def arrived(kind: HookKind, mapping: EventMapping | None, secret: str, came: Delivered) -> list[Arrived] | None:
    """The events of a delivery, at least one; None where it proves nothing."""
    if kind is HookKind.HUGGINGFACE:
        key = hub_delivery_id(came.headers, came.body, secret)
        return None if key is None else [Arrived(key, hub_event_name(came.body), came.body)]
    if kind is HookKind.OCI:
        is_known = shows_secret(secret, came.headers.get("authorization", ""))
        return [Arrived(part.key, part.event, part.body) for part in oci_parts(came.body)] if is_known else None
    if mapping is None:
        key = mlflow_delivery_id(came.headers, came.body, secret, came.at)
        return None if key is None else [Arrived(key, mlflow_event_name(came.body), came.body)]
    if not _is_authentic(mapping, secret, came):
        return None
    if kind is HookKind.CLOUDEVENTS:
        found = [Arrived(part.key, part.type, part.body) for part in parts_of(came.headers, came.body)]
        if found:
            return found
    # The same body again is the same event: senders that repeat repeat it whole.
    return [Arrived(hashlib.sha256(came.body).hexdigest(), kind.value, came.body)]


def event_of(hook: HookRow, body: bytes) -> RegistryEvent | Ignored:
    """What a kept body says."""
    if hook.mapping is not None:
        return EventMapping.model_validate(hook.mapping).event(body)
    return _FORMS[HookKind(hook.kind)](body)


_FORMS = {HookKind.MLFLOW: mlflow_event, HookKind.HUGGINGFACE: hub_event, HookKind.OCI: oci_event}


def _is_authentic(mapping: EventMapping, secret: str, came: Delivered) -> bool:
    if mapping.proof is Proof.BEARER:
        return is_bearer(secret, came.headers.get("authorization", ""))
    return is_signed(secret, came.body, came.headers.get(mapping.header.lower(), ""))
