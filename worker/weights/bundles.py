"""A ZIP that people make of several files of weights: shards with their index, or one file alone."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from app.domain.refusals import DAMAGED, DUPLICATE_RECORD, SHARD_MISSING, UNKNOWN_ZIP, UNSAFE
from worker.weights.lazy import LazyTensor
from worker.weights.stored_zip import BoundedReads

MAX_INFLATED_BYTES = 2 * 1024**3
MAX_RATIO = 200
MAX_INDEX_BYTES = 32 * 1024**2
MAX_ENTRIES = 10_000
_INDEX = ".index.json"
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
_OF_TORCH = frozenset({"data.pkl", "archive_format"})
"""What torch.save and torch.export.save have in their ZIPs; sample inputs of the latter are files of torch, too."""
_FREE_BYTES = 1024**2
_PART_BYTES = 1024**2

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    ValueError,
    NotImplementedError,
    EOFError,
    RuntimeError,
)

Tensors = dict[tuple[str, ...], LazyTensor]
Opener = Callable[[BinaryIO], Tensors]


def is_bundle(file: BinaryIO) -> bool:
    """Whether the ZIP has files of weights in it, and is none itself. Raises InputFailure ``model-invalid``."""
    try:
        with zipfile.ZipFile(BoundedReads(file)) as archive:
            names = archive.namelist()
    except _BROKEN as error:
        raise DAMAGED.failure(what="its ZIP directory is cut off or broken") from error
    of_torch = any(name.partition("/")[2] in _OF_TORCH for name in names)
    return not of_torch and any(name.endswith(_WEIGHTS) for name in names)


def read_bundle(file: BinaryIO, read: Opener) -> Tensors:
    """The tensors of all shards, each as its own format is read.

    Raises InputFailure: what ``read`` raises, ``model-invalid``, ``model-unsafe``, ``archive-duplicate-entry`` or
    ``model-format-not-accepted`` for a ZIP without weights.
    """
    try:
        with zipfile.ZipFile(BoundedReads(file)) as archive:
            return _Bundle(archive, read).tensors()
    except _BROKEN as error:
        raise DAMAGED.failure(what="its ZIP directory is cut off or broken") from error


class _Bundle:
    def __init__(self, archive: zipfile.ZipFile, read: Opener) -> None:
        self._archive = archive
        self._read = read
        self._left = MAX_INFLATED_BYTES
        entries = [entry for entry in archive.infolist() if not _is_clutter(entry)]
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) != len(entries):
            raise DUPLICATE_RECORD.failure(name="of a shard")
        if len(entries) > MAX_ENTRIES:
            raise UNSAFE.failure(what="its entries are too many")

    def tensors(self) -> Tensors:
        indices = [name for name in self._entries if name.endswith(_INDEX)]
        alone = [name for name in self._entries if name.endswith(_WEIGHTS)]
        if len(indices) == 1:
            return self._indexed(indices[0])
        if not indices and len(alone) == 1:
            return self._read(self._opened(alone[0]))
        raise UNKNOWN_ZIP.failure()

    def _indexed(self, index: str) -> Tensors:
        """Every tensor from the shard that the index names, a plain name in its own folder."""
        folder = PurePosixPath(index).parent
        shards: dict[str, Tensors] = {}
        found: Tensors = {}
        for name, shard in self._weight_map(index).items():
            if not isinstance(shard, str) or PurePosixPath(shard).name != shard or shard.startswith("."):
                raise UNSAFE.failure(what="its index names shards elsewhere")
            path = str(folder / shard)
            if path not in self._entries:
                raise SHARD_MISSING.failure(name=repr(shard))
            if path not in shards:
                shards[path] = self._read(self._opened(path))
            if (name,) not in shards[path]:
                raise DAMAGED.failure(what=f"the tensor {name[:200]!r} is not in its shard {shard!a}")
            found[name,] = shards[path][name,]
        return found

    def _weight_map(self, index: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._opened(index, MAX_INDEX_BYTES).read())["weight_map"])
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise DAMAGED.failure(what="the index of its shards is none") from error

    def _opened(self, name: str, most: int = MAX_INFLATED_BYTES) -> BinaryIO:
        """The entry in memory: shards are read in parts, which a compressed one does not allow."""
        entry = self._entries[name]
        limit = min(most, self._left, max(_FREE_BYTES, MAX_RATIO * entry.compress_size))
        if entry.file_size > limit or entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise UNSAFE.failure(what="an entry is too long, or compressed in a way that is not read")
        content = io.BytesIO()
        with self._archive.open(entry) as file:
            while part := file.read(_PART_BYTES):
                content.write(part)
                if content.tell() > limit:
                    raise UNSAFE.failure(what="an entry is longer than it says")
        self._left -= content.tell()
        content.seek(0)
        return content


def _is_clutter(entry: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(entry.filename).parts
    return entry.is_dir() or not parts or parts[0] == "__MACOSX" or parts[-1].startswith(".")
