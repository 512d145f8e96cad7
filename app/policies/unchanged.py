"""Commits that change nothing that an audit depends on: a README is pushed more often than weights are."""

from app.errors import EgressFailure, InputFailure
from app.imports.files import CONFIGS, DESCRIPTIONS
from app.imports.weights import WeightFiles
from app.registries.base import Files, Registry
from app.registries.checksums import Checksum


def is_unchanged(registry: Registry, before: str, now: str) -> bool:
    """Whether weights and description of two versions are the same, by the registry's own digests.

    Raises EgressFailure where the one that is ``now`` cannot be read; one from before may be gone.
    """
    seen = _seen(registry.open(now))
    try:
        return seen is not None and seen == _seen(registry.open(before))
    except EgressFailure as failure:
        if failure.passing:
            raise
        return False


def _seen(files: Files) -> dict[str, Checksum] | None:
    """Digests of what is read of a version, by name; None where one is not told, or nothing would be read."""
    names = files.names()
    try:
        wanted = {*WeightFiles.among(names).parts, *names.intersection((*DESCRIPTIONS, *CONFIGS))}
    except InputFailure:
        return None
    sums = {name: files.checksum(name) for name in wanted}
    told = {name: checksum for name, checksum in sums.items() if checksum is not None}
    return told if len(told) == len(sums) else None
