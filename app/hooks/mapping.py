"""What a body says that has no form of its own: JSON pointers (RFC 6901) name the places; nothing in it runs."""

import json
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any

from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from app.hooks.events import Ignored, RegistryEvent, VersionEvent, is_version

MISSING = object()


def _pointer(text: str) -> str:
    try:
        JsonPointer(text)
    except JsonPointerException as error:
        raise ValueError("it is no JSON pointer, such as /data/model_name") from error
    return text


Pointer = Annotated[str, StringConstraints(max_length=500), AfterValidator(_pointer)]


class Proof(StrEnum):
    """How a delivery shows that it comes from who knows the secret."""

    HMAC = "hmac"
    BEARER = "bearer"


class EventMapping(BaseModel):
    """Where an event says which version it is about, and what proves it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Pointer = Field(description="JSON pointer to the model's name.", examples=["/data/ModelName"])
    version: Pointer = Field(description="To its version, a number or a text.", examples=["/data/ModelVersion"])
    only: dict[Pointer, str] = Field(
        default_factory=dict,
        max_length=20,
        description="Values that others must have (`*` and `?` as in file names); any other event is ignored.",
        examples=[{"/type": "*ModelRegistered"}],
    )
    proof: Proof = Field(
        Proof.HMAC, description="HMAC-SHA256 of the raw body, or `Authorization: Bearer` with the secret."
    )
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")] = Field(
        "X-Signature-256", description="That has the HMAC: hex or Base64, perhaps after `sha256=` or `v1,`."
    )

    def event(self, body: bytes) -> RegistryEvent | Ignored:
        """A version that is new, as far as the body says."""
        document = read(body)
        for pointer, wanted in self.only.items():
            if not fnmatchcase(_text(_at(document, pointer)) or "", wanted):
                return Ignored(f"At {pointer} it has no {wanted}.")
        name, version = (_text(_at(document, pointer)) for pointer in (self.name, self.version))
        if not name or not version:
            return Ignored(f"It has no name and version at {self.name} and {self.version}.")
        if not is_version(name, version):
            return Ignored("It names no version that could be fetched.")
        return RegistryEvent(VersionEvent.CREATED, name, version)


def read(body: bytes) -> Any:
    """The JSON, or None."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _at(document: Any, pointer: str) -> object:
    try:
        return JsonPointer(pointer).resolve(document, MISSING)
    except (JsonPointerException, TypeError):
        return MISSING


def _text(value: object) -> str | None:
    """Of a text or a whole number; nothing else names anything."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
