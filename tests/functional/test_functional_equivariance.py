"""Correlation, shifts by whole cells, centres of mass: by hand, against NumPy and SciPy, and hand-made subjects."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import center_of_mass

from app.domain.statistics.skill import skill
from worker.functional.cell_shifts import CellShift, cells_in_both, centre_displacements, centre_of_mass, shifted
from worker.functional.correlation import correlation, correlation_with_others

Floats = NDArray[np.float64]

DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
SHIFTS = [CellShift(right * cells, down * cells) for right, down in DIRECTIONS.values() for cells in (1, 2, 3)]


def test_correlation_by_hand() -> None:
    """(1, 2, 3) and (1, 3, 2): covariance 0.5, variances 1 and 1 (sample), so r = 0.5."""
    first = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])
    second = np.array([[1.0, 3.0, 2.0], [10.0, 20.0, 30.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    np.testing.assert_allclose(correlation(first, second), [0.5, 1.0, -1.0, np.nan], atol=1e-15)


def test_correlation_equals_numpys() -> None:
    maps = np.random.default_rng(1).random((2, 50, 7, 5))
    expected = [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in zip(*maps, strict=True)]
    np.testing.assert_allclose(correlation(maps[0], maps[1]), expected, atol=1e-12)
    third = np.full((1, 7, 7), 1 / 3)
    assert np.isnan(correlation(third, maps[0, :1, :, :1].repeat(7, 2))).all(), "rounding is no direction"


def test_correlation_with_others_leaves_each_map_out() -> None:
    maps = np.random.default_rng(2).random((9, 4, 4))
    expected = [
        np.corrcoef(one.ravel(), np.delete(maps, place, 0).mean(0).ravel())[0, 1] for place, one in enumerate(maps)
    ]
    np.testing.assert_allclose(correlation_with_others(maps), expected, atol=1e-12)
    np.testing.assert_allclose(correlation_with_others(maps[:1].repeat(5, 0)), 1.0)


def test_cells_in_both_by_hand() -> None:
    """Three columns moved one to the right: clean columns 0, 1 are seen again in columns 1, 2."""
    scene = np.arange(12.0).reshape(1, 3, 4)
    clean, view = cells_in_both(CellShift(1, 0), 3, 4)
    moved = shifted(scene, CellShift(1, 0))
    np.testing.assert_array_equal(moved[0, 0], [0, 0, 1, 2])
    np.testing.assert_array_equal(scene[:, clean[0], clean[1]], moved[:, view[0], view[1]])
    np.testing.assert_array_equal(scene[0, clean[0], clean[1]][0], [0, 1, 2])
    for shift in SHIFTS:
        before, after = cells_in_both(shift, 7, 5)
        whole = np.random.default_rng(3).random((2, 7, 5))
        again = shifted(whole, shift)
        np.testing.assert_array_equal(whole[:, before[0], before[1]], again[:, after[0], after[1]])


def test_centre_of_mass_equals_scipys() -> None:
    maps = np.random.default_rng(4).random((20, 7, 5))
    np.testing.assert_allclose(centre_of_mass(maps), [center_of_mass(one) for one in maps], atol=1e-12)
    assert np.isnan(centre_of_mass(np.zeros((1, 3, 3)))).all()


def _scores(clean: Floats, look: Callable[[CellShift], Floats]) -> tuple[float | None, float]:
    """Skill, pooled over the twelve shifts, and slope of the centre, as an audit makes them."""
    scores, controls, products, squares = [], [], 0.0, 0.0
    for shift in SHIFTS:
        view = look(shift)
        before, after = cells_in_both(shift, *clean.shape[1:])
        reference = clean[:, before[0], before[1]]
        scores.append(correlation(reference, view[:, after[0], after[1]]))
        controls.append(correlation(reference, view[:, before[0], before[1]]))
        sums = centre_displacements(clean, view, shift)
        products, squares = products + sums.products.sum(), squares + sums.squares.sum()
    return skill(float(np.nanmean(scores)), float(np.nanmean(controls))), products / squares


@pytest.fixture(scope="module")
def blobs() -> Floats:
    """Two blobs a map at random places, as networks' maps look: (200, 7, 7)."""
    generator = np.random.default_rng(5)
    rows, columns = np.indices((7, 7))
    places = generator.uniform(1, 5, (200, 2, 2))
    return np.array([sum(np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 2) for y, x in pair) for pair in places])


def test_an_ideal_subject_follows(blobs: Floats) -> None:
    found, slope = _scores(blobs, lambda shift: shifted(blobs, shift))
    assert found == pytest.approx(1.0)
    assert slope == pytest.approx(1.0)


def test_a_static_subject_does_not_follow(blobs: Floats) -> None:
    """One map for every image: the control is 1, and the score far below it."""
    static = blobs[:1].repeat(len(blobs), 0)
    for clean in (static, blobs):
        found, slope = _scores(clean, dict.fromkeys(SHIFTS, clean).__getitem__)
        assert found is not None
        assert found < 0
        assert slope == pytest.approx(0.0)


def test_noise_has_no_skill() -> None:
    generator = np.random.default_rng(6)
    found, slope = _scores(generator.random((2000, 7, 7)), lambda _: generator.random((2000, 7, 7)))
    assert found == pytest.approx(0.0, abs=0.02)
    # Both displacements begin at the clean map's own centre, which gives them something in common.
    assert 0 < slope < 0.3


def test_a_centred_symmetric_map_says_nothing_under_flips() -> None:
    """It is its own mirror image: score and control are both 1, and no skill is better than a wrong one."""
    rows, columns = np.indices((7, 7)) - 3
    centred = np.exp(-(rows**2 + columns**2) / 4)[None].repeat(30, 0)
    for turned in (centred[:, :, ::-1], centred[:, ::-1], np.rot90(centred, 1, (1, 2))):
        score = float(correlation(centred, turned).mean())
        assert skill(score, score) is None


@pytest.mark.parametrize(
    ("score", "control", "expected"),
    [(0.8, 0.5, 0.6), (0.5, 0.5, 0.0), (0.2, 0.6, -1.0), (0.99, 0.96, None), (0.5, 1.0, -10.0), (None, 0.5, None)],
)
def test_skill_by_hand(score: float | None, control: float, expected: float | None) -> None:
    found = skill(score, control)
    assert found == (None if expected is None else pytest.approx(expected))
