"""Fetches a version: its description, and its weights as a blob."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.egress.answers import Download
from app.errors import EgressFailure, TooLarge
from app.imports.files import (
    CONFIGS,
    DESCRIPTIONS,
    MAX_TEXT_BYTES,
    MLMODEL,
    of_config,
    of_file,
    of_mlmodel,
    of_salience_json,
    of_words,
    weights_file,
)
from app.models.imported import Found
from app.registries.base import READY, Files, Registry, Version
from app.storage.blobs import BlobStore, StoredBlob


@dataclass(frozen=True)
class Fetched:
    """A version's weights, and what it says of itself."""

    version: Version
    file: str
    blob: StoredBlob
    found: list[Found]


def fetch(registry: Registry, uri: str, blobs: BlobStore, max_bytes: int, still_at_it: Callable[[], None]) -> Fetched:
    """``still_at_it`` is called with every piece, and may raise. Raises EgressFailure, InputFailure."""
    files = registry.open(uri)
    version = files.version
    if version.status != READY:
        detail = f"The version is {version.status} in the registry."
        raise EgressFailure("version-not-ready", detail, passing=version.status != "FAILED_REGISTRATION")
    names = files.names()
    file = weights_file(names)
    found = [*_described(files, names), *of_words(version.description), of_file(file)]
    with files.fetch(file, max_bytes) as download:
        blob = _stored(_pieces(files, file, download), blobs, max_bytes, still_at_it)
    return Fetched(version, file, blob, found)


def _described(files: Files, names: set[str]) -> list[Found]:
    """From the files, the one that counts most first."""
    found = [of_salience_json(_text(files, name)) for name in DESCRIPTIONS if name in names]
    found += of_mlmodel(_text(files, MLMODEL)) if MLMODEL in names else ()
    return found + [part for name in CONFIGS if name in names for part in of_config(name, _text(files, name))]


def _text(files: Files, name: str) -> bytes:
    with files.fetch(name, MAX_TEXT_BYTES) as download:
        return b"".join(_pieces(files, name, download))


def _pieces(files: Files, name: str, download: Download) -> Iterator[bytes]:
    checksum = files.checksum(name)
    return download.pieces() if checksum is None else checksum.checked(download.pieces())


def _stored(pieces: Iterator[bytes], blobs: BlobStore, max_bytes: int, still_at_it: Callable[[], None]) -> StoredBlob:
    try:
        with blobs.writer(max_bytes) as writer:
            for piece in pieces:
                writer.write(piece)
                still_at_it()
            return writer.commit()
    except TooLarge as error:
        raise EgressFailure("answer-too-large", error.detail) from error
