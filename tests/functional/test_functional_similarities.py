"""Similarities of stored maps against SciPy, scikit-image, OpenCV and formulas by hand."""

import cv2
import numpy as np
import pytest
from scipy.stats import zscore
from sklearn.metrics import roc_auc_score

from app.domain.maps.similarities import SIMILARITIES, Similarity
from benchmarks.similarities import PEERS, difference, made
from worker.functional import similarities
from worker.functional.fixation_scores import OF_FIXATIONS, area_under_roc, standardised_salience, within
from worker.functional.similarities import OF_MAPS

PAIR = made(12, 7, 8)


def test_every_similarity_has_its_arithmetic() -> None:
    assert {*OF_MAPS, *OF_FIXATIONS} == set(SIMILARITIES) == set(Similarity)
    assert set(OF_MAPS) == set(PEERS)


@pytest.mark.parametrize("similarity", OF_MAPS)
def test_same_as_the_peer(similarity: Similarity) -> None:
    assert difference(similarity, PAIR, 4) < 1e-6
    found = OF_MAPS[similarity](*PAIR)
    low, high = SIMILARITIES[similarity].value_range
    assert low <= found.min() < found.max() <= high


@pytest.mark.parametrize("similarity", OF_MAPS)
def test_a_map_is_closest_to_itself_and_a_constant_one_to_nothing(similarity: Similarity) -> None:
    first, second = PAIR[0].copy(), PAIR[0].copy()
    first[3] = second[5] = 0
    found = OF_MAPS[similarity](first, second)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3, 5]
    closest = 0 if SIMILARITIES[similarity].lower_is_closer else 1
    assert np.allclose(np.delete(found, [3, 5]), closest, atol=1e-9)


def test_emd_by_hand() -> None:
    """All of one corner to the other one is the diagonal; half of it to the next cell is half of a side's step."""
    corner, other, spread = np.zeros((3, 1, 4, 5), np.float32)
    corner[0, 0, 0] = other[0, 3, 4] = 1
    spread[0, 0, :2] = 1
    assert similarities.earth_movers_distance(corner, other) == pytest.approx(1)
    assert similarities.earth_movers_distance(corner, spread) == pytest.approx(0.5 / 5)


def test_larger_maps_are_resampled_by_area() -> None:
    found = similarities.resampled(PAIR[0], (3, 5))
    expected = [cv2.resize(one, (5, 3), interpolation=cv2.INTER_AREA) for one in PAIR[0]]
    assert np.abs(found - np.stack(expected)).max() < 1e-6
    assert similarities.resampled(PAIR[0], (7, 8)) is PAIR[0]


def test_a_part_of_a_map_by_area() -> None:
    """The right half, and a frame that reaches half a map beside it."""
    half = similarities.resampled(PAIR[0], (7, 4), (0.5, 0, 1, 1))
    assert np.abs(half - PAIR[0][:, :, 4:]).max() < 1e-6
    around = similarities.resampled(PAIR[0], (14, 8), (0, -0.5, 1, 1.5))
    assert not around[:, :3].any()
    assert np.abs(around[:, 4:10] - (PAIR[0][:, :6] + PAIR[0][:, 1:]) / 2).max() < 1e-6


def test_where_people_looked_against_other_tools() -> None:
    """NSS is SciPy's z-score at the fixated cells, AUC-Judd scikit-learn's of fixations and cells without any."""
    points = np.array([[0.1, 0.2], [0.12, 0.22], [0.9, 0.5], [0.5, 0.999]])
    rows, columns = [1, 1, 3, 6], [0, 0, 7, 4]
    for one in PAIR[0]:
        expected = zscore(one.astype(np.float64), axis=None)[rows, columns].mean()
        assert standardised_salience(one, points) == pytest.approx(expected, abs=1e-9)
        free = np.ones(one.shape, bool)
        free[rows, columns] = False
        values = np.concatenate([one[rows, columns], one[free]])
        area = roc_auc_score(np.arange(values.size) < len(points), values)
        assert area_under_roc(one, points) == pytest.approx(area, abs=1e-9)
    assert np.isnan(standardised_salience(PAIR[0][0], np.empty((0, 2))))
    assert np.isnan(area_under_roc(np.zeros((7, 8), np.float32), points))


def test_fixations_within_a_part() -> None:
    """Of the right half, whose left edge is the middle: what lies beside it is left out."""
    points = np.array([[0.25, 0.5], [0.75, 0.5], [0.5, 0.0]])
    assert within(points, (0.5, 0, 1, 1)).tolist() == [[0.5, 0.5], [0, 0]]
