"""Judges a safetensors file by its header, before the library maps it."""

import json
import math
from pathlib import Path
from typing import Any

from app.errors import InputFailure

MAX_HEADER_BYTES = 16 * 1024**2
MAX_TENSORS = 100_000
MAX_DIMENSIONS = 8
ITEM_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


def judge_safetensors(path: Path) -> None:
    """Raises InputFailure ``model-invalid`` unless the tensors fill the file exactly, without hole or overlap."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 10 or not 2 <= length <= min(MAX_HEADER_BYTES, size - 8):
            raise _invalid("its header length does not fit the file")
        header = _parse(file.read(length))
    header.pop("__metadata__", None)
    if len(header) > MAX_TENSORS:
        raise _invalid(f"it has more than {MAX_TENSORS} tensors")
    end = 0
    for first, last, name in sorted(_place(name, entry) for name, entry in header.items()):
        if first != end:
            raise _invalid(f"the bytes before the tensor {name!r} are a hole or an overlap")
        end = last
    if end != size - 8 - length:
        raise _invalid("bytes are missing or left over at its end")


def _parse(text: bytes) -> dict[str, Any]:
    try:
        header = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _invalid("its header is not JSON") from error
    if not isinstance(header, dict):
        raise _invalid("its header is not a JSON object")
    return header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _place(name: str, entry: Any) -> tuple[int, int, str]:
    try:
        shape, (first, last) = entry["shape"], entry["data_offsets"]
        item = ITEM_BYTES[entry["dtype"]]
        whole = all(type(number) is int and 0 <= number < 2**63 for number in (*shape, first, last))
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(f"the entry of the tensor {name[:200]!r} is malformed or of an unknown type") from error
    if not whole or len(shape) > MAX_DIMENSIONS or last - first != math.prod(shape) * item:
        raise _invalid(f"shape and bytes of the tensor {name[:200]!r} disagree")
    return first, last, name[:200]


def _invalid(what: str) -> InputFailure:
    return InputFailure("model-invalid", f"The file is not a valid safetensors file: {what}.")
