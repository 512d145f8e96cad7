"""Copies a data set: an archive as it is, or a folder's files as one tar."""

import re
import tarfile
from collections.abc import Container, Iterable, Iterator

from app.egress.answers import malformed
from app.errors import EgressFailure
from app.imports.storing import Fetched, StillAtIt, Storing, checked_pieces
from app.registries.base import Files, Opening
from app.registries.places import is_range, place_of
from app.settings import Settings
from app.storage.blobs import BlobStore

OF_A_HUB = ("README.md", ".gitattributes")
"""What every repository has beside its images."""
HOLD_IMAGES = (".parquet", ".tar")
"""Files that may be longer than an image."""
MOST_SHARDS = 100_000
_RANGE = re.compile(r"(?P<before>[^{}]*)\{(?P<first>[0-9]{1,9})\.\.(?P<last>[0-9]{1,9})\}(?P<behind>[^{}]*)")


def copy_dataset(registry: Opening, uri: str, blobs: BlobStore, settings: Settings, still_at_it: StillAtIt) -> Fetched:
    """Raises EgressFailure."""
    place, archive = place_of(uri)
    files = registry.open(place if archive is not None and is_range(archive) else uri)
    names, storing = files.names(), Storing(blobs, settings.max_upload_bytes, still_at_it)
    if archive is None:
        wanted = sorted(name for name in names if name not in OF_A_HUB)
        blob = storing.pieces(_packed(files, wanted, settings))
    elif is_range(archive):
        blob = storing.pieces(_packed(files, _all_there(names_of(archive), names), settings))
    elif archive in names:
        blob = storing.file(files, archive)
    else:
        raise EgressFailure("registry-not-found", "The folder has no archive of that name.")
    return Fetched(files.version, archive, blob)


def names_of(pattern: str) -> list[str]:
    """``train-{000000..000003}.tar``: the files of a range; or the one that is named. Raises EgressFailure."""
    if not is_range(pattern):
        return [pattern]
    found = _RANGE.fullmatch(pattern)
    if found is None or int(found["last"]) - int(found["first"]) not in range(MOST_SHARDS):
        detail = f"Shards are named as train-{{000000..000099}}.tar: one range of at most {MOST_SHARDS} numbers."
        raise EgressFailure("registry-not-found", detail)
    numbers = range(int(found["first"]), int(found["last"]) + 1)
    return [f"{found['before']}{number:0{len(found['first'])}}{found['behind']}" for number in numbers]


def _all_there(wanted: list[str], names: Container[str]) -> list[str]:
    """Raises EgressFailure."""
    missing = next((name for name in wanted if name not in names), None)
    if missing is not None:
        raise EgressFailure("registry-not-found", f"The folder has no {missing[-200:]}.")
    return wanted


def _packed(files: Files, names: Iterable[str], settings: Settings) -> Iterator[bytes]:
    """A tar of them: the same bytes whenever names and contents are the same."""
    for count, name in enumerate(names):
        if count >= settings.max_entries:
            detail = f"The folder has more than {settings.max_entries} files (MAX_ENTRIES): import it in parts."
            raise EgressFailure("answer-too-large", detail)
        holds_images = name.casefold().endswith(HOLD_IMAGES)
        with files.fetch(name, settings.max_upload_bytes if holds_images else settings.max_entry_bytes) as download:
            yield from _entry(name, download.size, checked_pieces(files, name, download), settings.max_entry_bytes)
    yield bytes(2 * tarfile.BLOCKSIZE)


def _entry(name: str, size: int | None, pieces: Iterator[bytes], most_held: int) -> Iterator[bytes]:
    """A tar says how long a file is before its bytes: one whose server does not is held until it is whole."""
    if size is None:
        content = b""
        for piece in pieces:
            content += piece
            if len(content) > most_held:
                detail = (
                    f"A file has more than {most_held} bytes (MAX_ENTRY_BYTES), and its server does not say how many."
                )
                raise EgressFailure("answer-too-large", detail)
        size, pieces = len(content), iter((content,))
    header, count = tarfile.TarInfo(name), 0
    header.size = size
    yield header.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    for piece in pieces:
        count += len(piece)
        yield piece
    if count != size:
        raise malformed("a file has another length than was said")
    yield bytes(-size % tarfile.BLOCKSIZE)
