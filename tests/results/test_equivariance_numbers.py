"""Slope of the centre and specificity, of subjects made by hand."""

from typing import Any

import numpy as np
import pytest

from app.domain.summaries.groups import Groups
from worker.functional.cell_shifts import CellShift, shifted
from worker.functional.derangement import derangement
from worker.results.equivariance_numbers import ShiftNumbers, add_shift_numbers

SHIFTS = [CellShift(1, 0), CellShift(-1, 0), CellShift(0, 2), CellShift(0, -2)]
COUNT = 120


def _blobs() -> np.ndarray:
    rows, columns = np.indices((7, 7))
    places = np.random.default_rng(1).uniform(1, 5, (COUNT, 2))
    maps = [np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 2) for y, x in places]
    return np.array(maps, np.float32)


def _rows(views: dict[CellShift, np.ndarray], clean: np.ndarray) -> dict[tuple[str, str], dict[str, float | None]]:
    predicted = np.arange(COUNT) % 2
    numbers = ShiftNumbers(clean, derangement(predicted, 3))
    for shift, maps in views.items():
        numbers.take(shift, maps)
    groups = Groups(tuple("ab"[code] for code in predicted), ("s",) * 20 + ("t",) * 100)
    names = [("total", "micro"), ("total", "macro"), ("label", "a"), ("source", "s")]
    rows: list[Any] = [
        {"measure": "equivariance", "view": "shifts", "group_by": by, "group": group} for by, group in names
    ]
    add_shift_numbers(rows, numbers, groups, np.arange(COUNT))
    return {(row["group_by"], row["group"]): row for row in rows}


def test_what_follows_has_slope_and_specificity_one() -> None:
    clean = _blobs()
    for row in _rows({shift: shifted(clean, shift) for shift in SHIFTS}, clean).values():
        assert row["centre_slope"] == pytest.approx(1.0)
        assert row["specificity"] == pytest.approx(1.0, abs=1e-6)


def test_what_stands_still_has_slope_zero() -> None:
    clean = _blobs()
    for row in _rows(dict.fromkeys(SHIFTS, clean), clean).values():
        assert row["centre_slope"] == pytest.approx(0.0)


def test_one_map_for_all_is_not_specific() -> None:
    """It follows, and so does every other sample's map: the same map."""
    clean = _blobs()[:1].repeat(COUNT, 0)
    found = _rows({shift: shifted(clean, shift) for shift in SHIFTS}, clean)["total", "micro"]
    assert found["centre_slope"] == pytest.approx(1.0)
    assert found["specificity"] is None


def test_macro_gives_sources_the_same_weight() -> None:
    """The first source follows, the other stands still: half the slope, though it has five times the samples."""
    clean = _blobs()[:1].repeat(COUNT, 0)
    views = {}
    for shift in SHIFTS:
        views[shift] = clean.copy()
        views[shift][:20] = shifted(clean[:20], shift)
    rows = _rows(views, clean)
    assert rows["total", "macro"]["centre_slope"] == pytest.approx(0.5)
    assert rows["total", "micro"]["centre_slope"] == pytest.approx(20 / 120)
    assert rows["source", "s"]["centre_slope"] == pytest.approx(1.0)
