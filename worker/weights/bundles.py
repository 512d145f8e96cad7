"""A ZIP that people make of several files of weights: shards with their index, or one file alone."""

import json
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any, BinaryIO

from app.domain.refusals.weights import DAMAGED, SHARD_MISSING, UNKNOWN_ZIP, UNSAFE
from worker.weights.lazy import LazyTensor
from worker.weights.zipped_files import ZippedFiles, zip_directory

MAX_INDEX_BYTES = 32 * 1024**2
_INDEX = ".index.json"
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth")
_OF_TORCH = frozenset({"data.pkl", "archive_format"})
"""What torch.save and torch.export.save have in their ZIPs; sample inputs of the latter are files of torch, too."""

Tensors = dict[tuple[str, ...], LazyTensor]
Opener = Callable[[BinaryIO], Tensors]


def is_bundle(file: BinaryIO) -> bool:
    """Whether the ZIP has files of weights in it, and is none itself. Raises InputFailure ``model-invalid``."""
    with zip_directory(file) as archive:
        names = archive.namelist()
    of_torch = any(name.partition("/")[2] in _OF_TORCH for name in names)
    return not of_torch and any(name.endswith(_WEIGHTS) for name in names)


def read_bundle(file: BinaryIO, read: Opener) -> Tensors:
    """The tensors of all shards, each as its own format is read.

    Raises InputFailure: what ``read`` raises, ``model-invalid``, ``model-unsafe``, ``archive-duplicate-entry`` or
    ``model-format-not-accepted`` for a ZIP without weights.
    """
    with zip_directory(file) as archive:
        return _Bundle(ZippedFiles(archive), read).tensors()


class _Bundle:
    def __init__(self, files: ZippedFiles, read: Opener) -> None:
        self._files = files
        self._read = read

    def tensors(self) -> Tensors:
        indices = [name for name in self._files.names() if name.endswith(_INDEX)]
        alone = [name for name in self._files.names() if name.endswith(_WEIGHTS)]
        if len(indices) == 1:
            return self._indexed(indices[0])
        if not indices and len(alone) == 1:
            return self._read(self._files.opened(alone[0]))
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
            if path not in self._files:
                raise SHARD_MISSING.failure(name=repr(shard))
            if path not in shards:
                shards[path] = self._read(self._files.opened(path))
            if (name,) not in shards[path]:
                raise DAMAGED.failure(what=f"the tensor {name[:200]!r} is not in its shard {shard!a}")
            found[name,] = shards[path][name,]
        return found

    def _weight_map(self, index: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self._files.opened(index, MAX_INDEX_BYTES).read())["weight_map"])
        except (ValueError, RecursionError, LookupError, TypeError) as error:
            raise DAMAGED.failure(what="the index of its shards is none") from error
