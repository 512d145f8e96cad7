"""Postgres's binary arrays, as psycopg writes them."""

from collections.abc import Sequence

import numpy as np
import pytest
from psycopg.adapt import PyFormat, Transformer

from app.results.binary_arrays import decoded


def binary(row: Sequence[float | None] | None) -> bytes | None:
    if row is None:
        return None
    values = list(row)
    return bytes(Transformer().get_dumper(values, PyFormat.BINARY).dump(values) or b"")


def test_rows_with_nulls_anywhere() -> None:
    """Nulls at the same place, at others, at as many others, and none; in the order of the rows."""
    rows: list[list[float | None]] = [
        [0.25, None, -1.5],
        [None, 3.0, 1e-300],
        [0.5, None, 2.0],
        [1.0, 2.0, 3.0],
        [None, 4.0, 5.0],
    ]
    expected = [[np.nan if value is None else value for value in row] for row in rows]
    np.testing.assert_array_equal(decoded([binary(row) for row in rows], ">f8"), expected)


def test_many_rows_as_numpy_reads_them() -> None:
    values = np.random.default_rng(0).normal(size=(200, 7))
    np.testing.assert_array_equal(decoded([binary(row) for row in values.tolist()], ">f8"), values)


def test_whole_numbers() -> None:
    rows = [[70_000, -1, 80_000], [90_000, 70_000, -1]]
    np.testing.assert_array_equal(decoded([binary(row) for row in rows], ">i4"), rows)


def test_what_a_row_does_not_have() -> None:
    assert decoded([], ">f8").shape == (0, 0)
    assert decoded([None, binary([])], ">f8").shape == (2, 0)
    with pytest.raises(ValueError, match="differ in length"):
        decoded([binary([1.0]), binary([1.0, 2.0])], ">f8")
