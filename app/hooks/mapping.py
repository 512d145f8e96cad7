"""What a body says that has no form of its own: JSON pointers (RFC 6901) name the places; nothing in it runs."""

import json
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Any, Self

from jsonpointer import JsonPointer, JsonPointerException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from app.hooks.events import Ignored, RegistryEvent, VersionEvent, is_named, is_version
from app.registries.uris import is_file_address

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
    alias: Pointer | None = Field(
        None,
        description="To the alias that was set: where a text stands there the event is `model_version_alias.created`.",
        examples=["/alias"],
    )
    tags: Pointer | None = Field(
        None,
        description="To an object with the tags that the version has: texts or whole numbers; an empty text is none.",
        examples=["/data/ModelTags"],
    )
    source: Pointer | None = Field(
        None,
        description="Of a connection of kind `s3` or `http`, which has no versions of its own: to the address of the "
        "version's files, `s3://BUCKET/FOLDER` or `https://HOST/PATH#sha256=DIGEST`.",
        examples=["/detail/InferenceSpecification/Containers/0/ModelDataUrl"],
    )
    below: Annotated[str, StringConstraints(pattern=r"^(s3|https?)://[^/]+/", max_length=500)] | None = Field(
        None,
        description="With `source`: what that address must begin with, at least the bucket or the host; an event with "
        "any other is ignored.",
        examples=["s3://faces-models/"],
    )
    proof: Proof = Field(
        Proof.HMAC, description="HMAC-SHA256 of the raw body, or `Authorization: Bearer` with the secret."
    )
    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,100}$")] = Field(
        "X-Signature-256", description="That has the HMAC: hex or Base64, perhaps after `sha256=` or `v1,`."
    )

    @model_validator(mode="after")
    def confined(self) -> Self:
        if (self.source is None) != (self.below is None):
            raise ValueError("source and below belong together: a body names files below what the mapping says")
        return self

    def event(self, body: bytes) -> RegistryEvent | Ignored:
        """A version that is new, or got an alias, as far as the body says."""
        document = read(body)
        for pointer, wanted in self.only.items():
            if not fnmatchcase(_text(_at(document, pointer)) or "", wanted):
                return Ignored(f"At {pointer} it has no {wanted}.")
        name, version = (_text(_at(document, pointer)) for pointer in (self.name, self.version))
        if not name or not version:
            return Ignored(f"It has no name and version at {self.name} and {self.version}.")
        source = None if self.source is None else _text(_at(document, self.source)) or ""
        if source is not None and not source.startswith(self.below or ""):
            return Ignored(f"At {self.source} it has no address below {self.below}.")
        if not (is_version(name, version) if source is None else is_named(name, version) and is_file_address(source)):
            return Ignored("It names no version that could be fetched.")
        alias = _text(_at(document, self.alias)) if self.alias is not None else None
        kind = VersionEvent.ALIAS_SET if alias else VersionEvent.CREATED
        return RegistryEvent(kind, name, version, self._tags(document), alias or None, source)

    def _tags(self, document: Any) -> dict[str, str]:
        found = _at(document, self.tags) if self.tags is not None else None
        texts = {name: _text(value) for name, value in found.items()} if isinstance(found, dict) else {}
        return {name: text for name, text in texts.items() if text}


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
