"""The least work that turns one map into another: compiled and by OpenCV, against SciPy's linear program."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from worker.functional import transport
from worker.functional.native import native
from worker.functional.transport import least_works

Floats = NDArray[np.float64]
COMPILED: Any = getattr(native, "least_work", None)
TOLERANCES = {"compiled": 1e-9, "OpenCV": 1e-6}


@pytest.fixture(params=TOLERANCES)
def tolerance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> float:
    """How near each comes, where a compiler was there to make the first."""
    if request.param == "OpenCV":
        monkeypatch.setattr(transport, "native", None)
    elif COMPILED is None:
        pytest.skip("installed without a compiler")
    return TOLERANCES[request.param]


def shares(maps: Floats) -> Floats:
    found: Floats = maps / maps.sum((1, 2), keepdims=True)
    return found


def by_linprog(first: Floats, second: Floats) -> float:
    """All cells to all cells, what both share among them."""
    rows, columns = first.shape
    places = np.argwhere(np.ones(first.shape))
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) / np.hypot(rows - 1, columns - 1)
    cells = rows * columns
    ends = np.vstack([np.kron(np.eye(cells), np.ones(cells)), np.kron(np.ones(cells), np.eye(cells))])
    found: Any = linprog(apart.ravel(), A_eq=ends, b_eq=np.concatenate([first.ravel(), second.ravel()]))
    return float(found.fun)


def levels(generator: np.random.Generator, count: int, rows: int, columns: int, most: int) -> Floats:
    """Few levels: many ways cost the same, and many sums meet."""
    return shares(generator.integers(0, most + 1, (count, rows, columns)) + np.eye(rows, columns))


def test_as_linprog_says(tolerance: float) -> None:
    """Of any values and of few levels, of squares, lines and of one cell against all."""
    draw = np.random.default_rng(11)
    one_cell = np.zeros((1, 5, 5))
    one_cell[0, 1, 2] = 1
    made = [
        (shares(draw.random((4, 6, 5))), shares(draw.random((4, 6, 5)) ** 4)),
        (levels(draw, 6, 5, 5, 1), levels(draw, 6, 5, 5, 1)),
        (levels(draw, 4, 4, 7, 3), levels(draw, 4, 4, 7, 3)),
        (levels(draw, 2, 1, 9, 2), levels(draw, 2, 1, 9, 2)),
        (one_cell, shares(draw.random((1, 5, 5)))),
    ]
    for first, second in made:
        expected = [by_linprog(one, other) for one, other in zip(first, second, strict=True)]
        assert np.abs(least_works(first, second) - expected).max() < tolerance
        assert np.abs(least_works(second, first) - expected).max() < tolerance


def test_nothing_to_carry_takes_no_work(tolerance: float) -> None:
    """Nor what differs in the last bits alone, whichever side has more."""
    same = shares(np.random.default_rng(2).random((3, 4, 4)))
    nearly = same.copy()
    nearly[:, 0, 0] += 1e-17
    nearly[1, 3, 3] -= 1e-16
    assert least_works(same, same).tolist() == [0, 0, 0]
    assert np.abs(least_works(same, nearly)).max() < tolerance


def test_many_maps_are_shared_out_to_the_same_bits() -> None:
    """More than 64 cells on a side, which is more than a word of bits has."""
    draw = np.random.default_rng(3)
    first, second = shares(draw.random((21, 10, 15))), shares(draw.random((21, 10, 15)))
    together = least_works(first, second)
    alone = [least_works(first[place : place + 1], second[place : place + 1])[0] for place in range(21)]
    assert together.tolist() == alone


def test_both_ways_agree_on_many_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    if COMPILED is None:
        pytest.skip("installed without a compiler")
    draw = np.random.default_rng(4)
    pair = [np.concatenate([levels(draw, 150, 7, 7, most) for most in (1, 4, 1000)]) for _ in range(2)]
    compiled = least_works(*pair)
    monkeypatch.setattr(transport, "native", None)
    assert np.abs(compiled - least_works(*pair)).max() < 1e-6


def test_buffers_of_other_lengths_are_refused() -> None:
    if COMPILED is None:
        pytest.skip("installed without a compiler")
    with pytest.raises(ValueError, match="buffers of other lengths"):
        COMPILED(np.zeros((2, 4)), np.zeros((4, 4)), np.zeros(3), 4)
    with pytest.raises(ValueError, match="buffers of other lengths"):
        COMPILED(np.zeros((2, 4)), np.zeros((4, 3)), np.zeros(2), 4)
