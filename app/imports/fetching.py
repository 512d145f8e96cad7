"""Fetches a version of a model: its description, and its weights as a blob."""

from app.errors import EgressFailure
from app.imports.files import (
    CONFIGS,
    DESCRIPTIONS,
    MAX_TEXT_BYTES,
    MLMODEL,
    of_config,
    of_mlmodel,
    of_salience_json,
    of_words,
)
from app.imports.storing import Fetched, StillAtIt, Storing, checked_pieces
from app.imports.unpacking import unpacked
from app.imports.weights import WeightFiles
from app.models.imported import Found
from app.registries.base import READY, Files, Opening
from app.storage.blobs import BlobStore

NOT_READY = ("PENDING_REGISTRATION", "FAILED_REGISTRATION")
"""As MLflow says it."""


def fetch(registry: Opening, uri: str, blobs: BlobStore, max_bytes: int, still_at_it: StillAtIt) -> Fetched:
    """Raises EgressFailure, InputFailure."""
    opened = registry.open(uri)
    version = opened.version
    if version.status != READY:
        known = version.status if version.status in NOT_READY else "not ready"  # no other word of a stranger's
        detail = f"The version is {known} in the registry."
        raise EgressFailure("version-not-ready", detail, passing=version.status != "FAILED_REGISTRATION")
    with unpacked(opened, max_bytes, still_at_it) as files:
        names = files.names()
        weights = WeightFiles.among(names)
        found = [*_described(files, names), *of_words(version.description), weights.described()]
        blob = weights.stored(files, Storing(blobs, max_bytes, still_at_it))
    return Fetched(version, weights.name, blob, found)


def _described(files: Files, names: set[str]) -> list[Found]:
    """From the files, the one that counts most first."""
    found = [of_salience_json(_text(files, name)) for name in DESCRIPTIONS if name in names]
    found += of_mlmodel(_text(files, MLMODEL)) if MLMODEL in names else ()
    return found + [part for name in CONFIGS if name in names for part in of_config(name, _text(files, name))]


def _text(files: Files, name: str) -> bytes:
    with files.fetch(name, MAX_TEXT_BYTES) as download:
        return b"".join(checked_pieces(files, name, download))
