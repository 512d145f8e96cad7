"""The container that ``torch.export.save`` writes (.pt2), for its weights alone: the program in it is never loaded.

torch 2.8 and later: ``data/weights/NAME_weights_config.json`` says of each tensor where its raw bytes lie.
"""

import json
from typing import Any

import torch

from app.domain.refusals.weights import DAMAGED, EXPORTED_WITHOUT_WEIGHTS, TENSOR_KIND
from app.errors import InputFailure
from worker.weights.lazy import LazyTensor, Stored
from worker.weights.stored_zip import StoredZip

MAX_CONFIG_BYTES = 32 * 1024**2
_FOLDER = "data/weights/"
_CONFIG = "_weights_config.json"
# The numbers of torch's ScalarType, and of its layout that is plain.
_DTYPES = {
    1: torch.uint8, 2: torch.int8, 3: torch.int16, 4: torch.int32, 5: torch.int64, 6: torch.float16,
    7: torch.float32, 8: torch.float64, 12: torch.bool, 13: torch.bfloat16,
}  # fmt: skip
_STRIDED = 7


def is_exported_program(archive: StoredZip) -> bool:
    """Of whatever version."""
    return "archive_format" in archive or "serialized_exported_program.json" in archive


def read_exported_program(archive: StoredZip) -> dict[tuple[str, ...], LazyTensor]:
    """The tensors by the name of their program, where there are several, and their own.

    Raises InputFailure ``model-format-not-accepted`` where the weights are not kept as plain bytes,
    ``model-invalid`` where a tensor is not within its bytes.
    """
    names = archive.names()
    configs = [name for name in names if name.startswith(_FOLDER) and name.endswith(_CONFIG)]
    if not configs or any(name.startswith("data/aotinductor/") for name in names):
        raise EXPORTED_WITHOUT_WEIGHTS.failure()
    tensors: dict[tuple[str, ...], LazyTensor] = {}
    for config in configs:
        program = (config[len(_FOLDER) : -len(_CONFIG)],) if len(configs) > 1 else ()
        for name, entry in _entries(archive, config).items():
            tensors[*program, name] = _tensor(archive, name, entry)
    return tensors


def _entries(archive: StoredZip, config: str) -> dict[str, Any]:
    try:
        entries = json.loads(archive.read(config, max_bytes=MAX_CONFIG_BYTES))["config"]
        return dict(entries)
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        raise DAMAGED.failure(what=f"{config!a} is not what torch.export.save writes") from error


def _tensor(archive: StoredZip, name: str, entry: Any) -> LazyTensor:
    try:
        meta = entry["tensor_meta"]
        if entry["use_pickle"] is not False or meta["layout"] != _STRIDED or meta["dtype"] not in _DTYPES:
            raise TENSOR_KIND.failure(name=repr(name), kind="pickled, or of an unknown type")
        sizes, strides = (tuple(item["as_int"] for item in meta[field]) for field in ("sizes", "strides"))
        span = archive.span(_FOLDER + entry["path_name"])
        found = Stored(span, _DTYPES[meta["dtype"]], sizes, strides, meta["storage_offset"]["as_int"])
        found.check()
    except InputFailure:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise DAMAGED.failure(what=f"the tensor {name[:200]!r} does not fit its bytes") from error
    return found
