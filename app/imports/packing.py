"""Copies a data set: an archive as it is, or a folder's files as one tar."""

import tarfile
from collections.abc import Iterable, Iterator

from app.datasets.sources import place_of
from app.errors import EgressFailure
from app.imports.storing import Fetched, StillAtIt, checked_pieces, stored
from app.registries.base import Files, Registry
from app.settings import Settings
from app.storage.blobs import BlobStore

OF_A_HUB = ("README.md", ".gitattributes")
"""What every repository has beside its images."""


def copy_dataset(registry: Registry, uri: str, blobs: BlobStore, settings: Settings, still_at_it: StillAtIt) -> Fetched:
    """Raises EgressFailure."""
    place, archive = place_of(uri)
    files = registry.open(place)
    names = files.names()
    if archive is None:
        wanted = sorted(name for name in names if name not in OF_A_HUB)
        pieces = _packed(files, wanted, settings)
    elif archive in names:
        pieces = _archive(files, archive, settings.max_upload_bytes)
    else:
        raise EgressFailure("registry-not-found", "The folder has no archive of that name.")
    return Fetched(files.version, archive, stored(pieces, blobs, settings.max_upload_bytes, still_at_it))


def _archive(files: Files, name: str, most_bytes: int) -> Iterator[bytes]:
    with files.fetch(name, most_bytes) as download:
        yield from checked_pieces(files, name, download)


def _packed(files: Files, names: Iterable[str], settings: Settings) -> Iterator[bytes]:
    """A tar of them: the same bytes whenever names and contents are the same."""
    for count, name in enumerate(names):
        if count >= settings.max_entries:
            detail = f"The folder has more than {settings.max_entries} files (MAX_ENTRIES): import it in parts."
            raise EgressFailure("answer-too-large", detail)
        # A tar says how long a file is before its bytes; an answer may not say so.
        with files.fetch(name, settings.max_entry_bytes) as download:
            content = b"".join(checked_pieces(files, name, download))
        header = tarfile.TarInfo(name)
        header.size = len(content)
        yield header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape") + content
        yield bytes(-len(content) % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
