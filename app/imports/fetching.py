"""Fetches a version: its description, and its weights as a blob."""

from collections.abc import Callable
from dataclasses import dataclass

from app.egress.answers import Download
from app.errors import EgressFailure, TooLarge
from app.imports.files import (
    DESCRIPTIONS,
    FOLDERS,
    MAX_TEXT_BYTES,
    MLMODEL,
    of_file,
    of_mlmodel,
    of_salience_json,
    of_words,
    weights_file,
)
from app.models.imported import Found
from app.registries.mlflow import READY, MlflowRegistry, Version
from app.registries.uris import ModelUri
from app.storage.blobs import BlobStore, StoredBlob


@dataclass(frozen=True)
class Fetched:
    """A version's weights, and what it says of itself."""

    version: Version
    file: str
    blob: StoredBlob
    found: list[Found]


def fetch(
    registry: MlflowRegistry, uri: str, blobs: BlobStore, max_bytes: int, still_at_it: Callable[[], None]
) -> Fetched:
    """``still_at_it`` is called with every piece, and may raise. Raises EgressFailure, InputFailure."""
    version = _found(registry, ModelUri.read(uri))
    if version.status != READY:
        detail = f"The version is {version.status} in the registry."
        raise EgressFailure("version-not-ready", detail, passing=version.status != "FAILED_REGISTRATION")
    folder = registry.folder(version)
    names = _names(registry, folder)
    file = weights_file(names)
    found = [*_described(registry, folder, names), *of_words(version.description), of_file(file)]
    with registry.fetch(folder, file, max_bytes) as download:
        blob = _stored(download, blobs, max_bytes, still_at_it)
    return Fetched(version, file, blob, found)


def _found(registry: MlflowRegistry, uri: ModelUri) -> Version:
    if uri.version is not None:
        return registry.version(uri.name, uri.version)
    return registry.aliased(uri.name, uri.alias or "")


def _names(registry: MlflowRegistry, folder: str) -> set[str]:
    """Of the folders that are looked into, as paths below the version's own."""
    names: set[str] = set()
    for inner in FOLDERS:
        listed = registry.files(f"{folder}/{inner}" if inner else folder)
        names |= {f"{inner}/{name}" if inner else name for name in listed}
    return names


def _described(registry: MlflowRegistry, folder: str, names: set[str]) -> list[Found]:
    """From the files, the one that counts most first."""
    written = [of_salience_json(_text(registry, folder, name)) for name in DESCRIPTIONS if name in names]
    return [*written, *(of_mlmodel(_text(registry, folder, MLMODEL)) if MLMODEL in names else ())]


def _text(registry: MlflowRegistry, folder: str, name: str) -> bytes:
    with registry.fetch(folder, name, MAX_TEXT_BYTES) as download:
        return b"".join(download.pieces())


def _stored(download: Download, blobs: BlobStore, max_bytes: int, still_at_it: Callable[[], None]) -> StoredBlob:
    try:
        with blobs.writer(max_bytes) as writer:
            for piece in download.pieces():
                writer.write(piece)
                still_at_it()
            return writer.commit()
    except TooLarge as error:
        raise EgressFailure("answer-too-large", error.detail) from error
