"""``.npy`` files: one map each, read without NumPy's unpickling."""

import io
from math import prod

import numpy as np
from numpy.lib import format as npy

from app.domain.refusals.maps import ARRAY_UNREADABLE
from app.errors import InputFailure
from worker.map_files.found import Values

_MAX_HEADER_BYTES = 10_000
_KINDS = "buif"


def read_array(data: bytes) -> Values:
    """(h, w) float32. Raises InputFailure ``map-array-invalid``."""
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, by_column, dtype = read(file, max_header_size=_MAX_HEADER_BYTES)
    except Exception as error:  # whatever a header made to confuse makes NumPy raise
        raise _invalid("its header cannot be read") from error
    if dtype.kind not in _KINDS or dtype.hasobject:
        raise _invalid(f"its type is {dtype}")
    plane = _plane(shape)
    if plane is None:
        raise _invalid(f"its shape is {shape}, and not (height, width)")
    count = prod(shape)
    if len(data) - file.tell() != count * dtype.itemsize:
        raise _invalid(f"{len(data) - file.tell()} bytes are not {count} numbers of {dtype.itemsize} bytes")
    flat = np.frombuffer(data, dtype, count, file.tell())
    values: Values = flat.reshape(plane, order="F" if by_column else "C").astype(np.float32)
    return values


def _plane(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Height and width; of three axes the first or the last may be 1."""
    if len(shape) == 3:
        shape = shape[1:] if shape[0] == 1 else shape[:2] if shape[2] == 1 else ()
    return shape if len(shape) == 2 and min(shape) > 0 else None


def _invalid(what: str) -> InputFailure:
    return ARRAY_UNREADABLE.failure(what=what)
