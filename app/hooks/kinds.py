"""One kind of hook after the other: what it takes as proof, how it is kept, what follows from it."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.db.tables import HookRow
from app.hooks.cloud_events import parts_of
from app.hooks.events import (
    UNKNOWN,
    Ignored,
    RegistryEvent,
    hub_event_name,
    hub_events,
    is_plain,
    mlflow_event,
    mlflow_event_name,
)
from app.hooks.mapping import EventMapping, Proof
from app.hooks.oci import oci_event, oci_parts
from app.hooks.proofs import hub_delivery_id, is_bearer, is_signed, mlflow_delivery_id, shows_secret
from app.hooks.schemas import HookKind


@dataclass(frozen=True)
class Arrived:
    """An event to keep; one with a key that is there already is the same. Both are text that a database can hold."""

    key: str
    event: str
    body: bytes

    def __post_init__(self) -> None:
        # Headers may be percent-encoded: whoever is authentic is answered 2xx, whatever they are called.
        if not is_plain(self.event):
            object.__setattr__(self, "event", UNKNOWN)
        if not is_plain(self.key):
            object.__setattr__(self, "key", hashlib.sha256(self.key.encode(errors="surrogatepass")).hexdigest())


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
