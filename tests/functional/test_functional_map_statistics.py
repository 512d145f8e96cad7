"""Where maps lie, controls' partners, SSIM without torch, clusters: by hand and against other implementations."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity as reference_similarity
from sklearn.metrics import adjusted_rand_score

from worker.functional.derangement import ALONE, derangement
from worker.functional.entropy import spatial_entropy
from worker.functional.map_clusters import adjusted_rand_index, map_clusters
from worker.functional.map_places import border_area, border_share, entropy_of_places
from worker.functional.map_similarity import similarity_of_windows, windows_of


def test_border_by_hand() -> None:
    """A 3 x 3 map has one inner cell: 8 of 9 cells are border, and of 1 + 3 in salience 3."""
    one = np.zeros((1, 3, 3))
    one[0, 1, 1], one[0, 0, 0] = 1.0, 3.0
    assert border_share(one).tolist() == [0.75]
    assert border_area(3, 3) == pytest.approx(8 / 9)
    assert border_area(7, 7) == pytest.approx(24 / 49)
    assert border_share(np.ones((1, 7, 7)))[0] == pytest.approx(24 / 49)
    assert np.isnan(border_share(np.zeros((1, 7, 7)))).all()


def test_entropy_of_places_is_the_measures() -> None:
    maps = np.random.default_rng(1).random((10, 7, 7))
    maps[0] = 0
    maps[0, 2, 3] = 1
    np.testing.assert_allclose(entropy_of_places(maps), spatial_entropy(torch.from_numpy(maps)).numpy(), atol=1e-12)
    assert entropy_of_places(np.ones((1, 7, 7)))[0] == pytest.approx(1.0)


def test_every_sample_gets_another_of_its_group() -> None:
    groups = np.array([3, 7, 3, 3, 9, 7, 3])
    partners = derangement(groups, seed=4)
    assert partners[4] == ALONE
    others = [place for place in range(7) if place != 4]
    assert sorted(partners[others]) == others, "each is taken once"
    assert all(partners[place] != place and groups[partners[place]] == groups[place] for place in others)
    np.testing.assert_array_equal(partners, derangement(groups, seed=4))
    many = np.zeros(1000, int)
    assert (derangement(many, 1) != derangement(many, 2)).any()


@pytest.mark.parametrize("shape", [(7, 7), (14, 14), (9, 12)])
def test_similarity_is_scikit_images(shape: tuple[int, int]) -> None:
    first, second = np.random.default_rng(5).integers(0, 256, (2, 20, *shape), dtype=np.uint8)
    second[:5] = first[:5]
    expected = [reference_similarity(one, other, data_range=255) for one, other in zip(first, second, strict=True)]
    np.testing.assert_allclose(similarity_of_windows(windows_of(first), windows_of(second)), expected, atol=1e-9)


def test_rand_index_is_scikit_learns() -> None:
    generator = np.random.default_rng(6)
    for _ in range(20):
        first, second = generator.integers(0, 4, (2, 60))
        assert adjusted_rand_index(first, second) == pytest.approx(adjusted_rand_score(first, second))
    assert adjusted_rand_index(np.zeros(5, int), np.zeros(5, int)) == 1.0


def _blobs(generator: np.random.Generator, place: tuple[float, float], count: int, spread: float) -> np.ndarray:
    rows, columns = np.indices((7, 7))
    places = generator.normal(place, spread, (count, 2))
    return np.array([np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 2) for y, x in places])


def test_three_kinds_of_maps_are_found() -> None:
    generator = np.random.default_rng(7)
    sizes = {(1.0, 1.0): 90, (5.0, 1.0): 60, (3.0, 5.0): 50}
    maps = np.concatenate([_blobs(generator, place, count, 0.15) for place, count in sizes.items()])
    truth = np.repeat(np.arange(3), list(sizes.values()))
    found = map_clusters(maps + generator.random(maps.shape) * 0.02, seed=8)
    assert found is not None
    assert found.agreement > 0.9
    assert adjusted_rand_score(truth, found.labels) > 0.95
    assert np.bincount(found.labels).tolist() == sorted(np.bincount(found.labels).tolist(), reverse=True)


def test_no_clusters_are_made_up() -> None:
    """Noise has none, neither have blobs that lie anywhere, nor too few maps to tell."""
    generator = np.random.default_rng(9)
    assert map_clusters(generator.random((300, 7, 7)), seed=1) is None
    assert map_clusters(_blobs(generator, (3.0, 3.0), 300, 0.5), seed=1) is None
    assert map_clusters(generator.random((12, 7, 7)), seed=1) is None
