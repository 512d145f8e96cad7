"""Similarities of stored maps against SciPy, scikit-image, OpenCV and formulas by hand."""

import cv2
import numpy as np
import pytest

from app.domain.similarities import SIMILARITIES, Similarity
from benchmarks.similarities import PEERS, difference, made
from worker.functional import similarities
from worker.results.rescored_document import COMPUTED

PAIR = made(12, 7, 8)


def test_every_similarity_has_its_arithmetic() -> None:
    assert set(COMPUTED) == set(SIMILARITIES) == set(Similarity) == set(PEERS)


@pytest.mark.parametrize("similarity", Similarity)
def test_same_as_the_peer(similarity: Similarity) -> None:
    assert difference(similarity, PAIR, 4) < 1e-6
    found = COMPUTED[similarity](*PAIR)
    low, high = SIMILARITIES[similarity].value_range
    assert low <= found.min() < found.max() <= high


@pytest.mark.parametrize("similarity", Similarity)
def test_a_map_is_closest_to_itself_and_a_constant_one_to_nothing(similarity: Similarity) -> None:
    first, second = PAIR[0].copy(), PAIR[0].copy()
    first[3] = second[5] = 0
    found = COMPUTED[similarity](first, second)
    assert np.flatnonzero(np.isnan(found)).tolist() == [3, 5]
    closest = 0 if SIMILARITIES[similarity].lower_is_closer else 1
    assert np.allclose(np.delete(found, [3, 5]), closest, atol=1e-12)


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
