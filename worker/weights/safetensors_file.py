"""Safetensors: a header that says where each tensor lies, and the tensors' bytes."""

import json
import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

import torch
from torch import Tensor

from app.domain.refusals.weights import BAD_SAFETENSORS
from app.errors import InputFailure
from worker.weights.lazy import LazyTensor, Span, Stored

MAX_HEADER_BYTES = 16 * 1024**2
MAX_TENSORS = 100_000
MAX_DIMENSIONS = 8
PART_BYTES = 16 * 1024**2
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64,
    "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8, "BOOL": torch.bool,
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in DTYPES.items()}
_LENGTH = struct.Struct("<Q")
_ALIGNMENT = 8


class Place(NamedTuple):
    """Where a tensor's bytes lie, behind the header."""

    first: int
    last: int
    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]


def read_safetensors(file: BinaryIO) -> dict[str, LazyTensor]:
    """Every tensor by its name, still in the file.

    Raises InputFailure ``model-invalid`` unless the tensors fill the file exactly, without hole or overlap.
    """
    begin, places = _judge(file)
    return {place.name: _stored(file, begin, place) for place in places}


def safetensors_parts(tensors: Mapping[str, Tensor]) -> Iterator[bytes]:
    """The file of these tensors, piece by piece; the same tensors always give the same bytes."""
    ordered = sorted(tensors.items(), key=lambda pair: (-pair[1].element_size(), pair[0]))
    header: dict[str, Any] = {}
    end = 0
    for name, tensor in ordered:
        first, end = end, end + tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [first, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    part = bytearray(_LENGTH.pack(len(text)) + text)
    for _, tensor in ordered:
        part += tensor.detach().contiguous().view(-1).view(torch.uint8).numpy().data
        if len(part) >= PART_BYTES:
            yield from (bytes(part[start : start + PART_BYTES]) for start in range(0, len(part), PART_BYTES))
            part.clear()
    yield bytes(part)


def _judge(file: BinaryIO) -> tuple[int, list[Place]]:
    size = file.seek(0, 2)
    file.seek(0)
    length = int.from_bytes(file.read(_LENGTH.size), "little")
    if size < 10 or not 2 <= length <= min(MAX_HEADER_BYTES, size - _LENGTH.size):
        raise _invalid("its header length does not fit the file")
    header = _parse(file.read(length))
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _invalid("its __metadata__ is not an object of strings")
    if len(header) > MAX_TENSORS:
        raise _invalid(f"it has more than {MAX_TENSORS} tensors")
    places = sorted((_place(name, entry) for name, entry in header.items()), key=lambda place: place[:2])
    end = 0
    for place in places:
        if place.first != end:
            raise _invalid(f"the bytes before the tensor {place.name[:200]!r} are a hole or an overlap")
        end = place.last
    if end != size - _LENGTH.size - length:
        raise _invalid("bytes are missing or left over at its end")
    return _LENGTH.size + length, places


def _stored(file: BinaryIO, begin: int, place: Place) -> LazyTensor:
    span = Span(file, begin + place.first, place.last - place.first)
    return Stored.contiguous(span, place.dtype, place.shape)


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


def _place(name: str, entry: Any) -> Place:
    try:
        shape, (first, last) = entry["shape"], entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        whole = all(type(number) is int and 0 <= number < 2**63 for number in (*shape, first, last))
    except (KeyError, TypeError, ValueError) as error:
        raise _invalid(f"the entry of the tensor {name[:200]!r} is malformed or of an unknown type") from error
    # torch counts with 63 bits, also where one size is zero and nothing is stored.
    fits = whole and len(shape) <= MAX_DIMENSIONS and math.prod(shape) * dtype.itemsize == last - first
    if not fits or math.prod(max(size, 1) for size in shape) * dtype.itemsize >= 2**63:
        raise _invalid(f"shape and bytes of the tensor {name[:200]!r} disagree")
    return Place(first, last, name, dtype, tuple(shape))


def _invalid(what: str) -> InputFailure:
    return BAD_SAFETENSORS.failure(what=what)
