"""Arrays of the database in the binary form that Postgres sends (``array_send``), read many rows at once.

A large audit has tens of millions of scores: as Python's numbers they take longer to read than to summarise.
"""

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_HEAD = [("dimensions", ">i4"), ("has_null", ">i4"), ("type", ">u4"), ("width", ">i4"), ("lower", ">i4")]
_HEAD_BYTES, _LENGTH_BYTES = 20, 4
_NULL = -1


def decoded(rows: Sequence[bytes | None], kind: str) -> NDArray[np.float64]:
    """(N, V) of N arrays of V numbers, NaN for null. ``kind`` is the elements' type in NumPy's words: ``>f8``, ``>i4``.

    V is that of the first row; a row that is null, or has no elements, has V = 0. Rows whose nulls stand at the same
    places are read together. Raises ValueError where rows differ in V.
    """
    width = _width(rows[0]) if rows else 0
    if any(_width(row) != width for row in rows):
        raise ValueError("arrays of one column differ in length")
    found = np.full((len(rows), width), np.nan)
    left = np.arange(len(rows)) if width else np.empty(0, np.int64)
    while left.size:
        left = _read_alike(rows, left, kind, found)
    return found


def _read_alike(
    rows: Sequence[bytes | None], left: NDArray[np.int64], kind: str, found: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Fill in those of the rows ``left`` that are laid out as the first of them; returns the others."""
    lengths = _lengths(rows[left[0]] or b"", found.shape[1])
    fields = [*_HEAD]
    for column, length in enumerate(lengths):
        fields += [(f"length {column}", ">i4"), *([] if length == _NULL else [(f"value {column}", kind)])]
    layout = np.dtype(fields)
    fits = np.array([len(rows[place] or b"") == layout.itemsize for place in left])
    places = left[fits]
    table = np.frombuffer(b"".join(rows[place] or b"" for place in places), layout)
    alike = np.logical_and.reduce([table[f"length {column}"] == length for column, length in enumerate(lengths)])
    for column, length in enumerate(lengths):
        if length != _NULL:
            found[places[alike], column] = table[f"value {column}"][alike]
    return np.concatenate([left[~fits], places[~alike]])


def _width(row: bytes | None) -> int:
    """An array without elements has no dimension."""
    return 0 if not row or len(row) < _HEAD_BYTES else int(struct.unpack_from(">i", row, 12)[0])


def _lengths(row: bytes, width: int) -> list[int]:
    """How many bytes each element has, -1 where it is null."""
    lengths, place = [], _HEAD_BYTES
    for _ in range(width):
        (length,) = struct.unpack_from(">i", row, place)
        lengths.append(length)
        place += _LENGTH_BYTES + max(length, 0)
    return lengths
