"""One kind of hook after the other: what it takes as proof, how it is kept, what follows from it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from app.db.tables import HookRow
from app.domain.stored_text import is_plain
from app.hooks.cloud_events import parts_of
from app.hooks.events import (
    UNKNOWN,
    Ignored,
    RegistryEvent,
    hub_event_name,
    hub_events,
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

    @classmethod
    def storable(cls, key: str, event: str, body: bytes) -> Self:
        """With text that a database can hold in place of what it cannot.

        Headers may be percent-encoded: whoever is authentic is answered 2xx, whatever they are called.
        """
        digest = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        return cls(key if is_plain(key) else digest, event if is_plain(event) else UNKNOWN, body)


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
        return None if key is None else [Arrived.storable(key, hub_event_name(came.body), came.body)]
    if kind is HookKind.OCI:
        parts = oci_parts(came.body) if shows_secret(secret, came.headers.get("authorization", "")) else ()
        return [Arrived.storable(part.key, part.event, part.body) for part in parts] or None
    if mapping is None:
        key = mlflow_delivery_id(came.headers, came.body, secret, came.at)
        return None if key is None else [Arrived.storable(key, mlflow_event_name(came.body), came.body)]
    if not _is_authentic(mapping, secret, came):
        return None
    if kind is HookKind.CLOUDEVENTS:
        found = [Arrived.storable(part.key, part.type, part.body) for part in parts_of(came.headers, came.body)]
        if found:
            return found
    # The same body again is the same event: senders that repeat repeat it whole.
    return [Arrived(hashlib.sha256(came.body).hexdigest(), kind.value, came.body)]


def events_of(hook: HookRow, body: bytes) -> list[RegistryEvent] | Ignored:
    """What a kept body says, at least one: a push may move a branch and set tags."""
    mapping = None if hook.mapping is None else EventMapping.model_validate(hook.mapping)
    read: Read = _FORMS[HookKind(hook.kind)] if mapping is None else mapping.event
    try:
        told = read(body)
    except ValueError as error:
        return Ignored(f"It cannot be followed: {error}.")
    return [told] if isinstance(told, RegistryEvent) else told


Read = Callable[[bytes], RegistryEvent | list[RegistryEvent] | Ignored]
_FORMS: dict[HookKind, Read] = {
    HookKind.MLFLOW: mlflow_event,
    HookKind.HUGGINGFACE: hub_events,
    HookKind.OCI: oci_event,
}


def _is_authentic(mapping: EventMapping, secret: str, came: Delivered) -> bool:
    if mapping.proof is Proof.BEARER:
        return is_bearer(secret, came.headers.get("authorization", ""))
    return is_signed(secret, came.body, came.headers.get(mapping.header.lower(), ""))
