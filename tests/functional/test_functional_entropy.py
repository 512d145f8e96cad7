"""Entropies of maps: by hand, against scikit-image, and whatever the order, scale and batch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra import numpy as arrays
from skimage.measure import shannon_entropy
from torch import Tensor

from worker.functional.entropy import histogram_entropy, histogram_entropy_bits, spatial_entropy

BYTES = arrays.arrays(np.uint8, (3, 7, 7))


def test_spatial_by_hand() -> None:
    quarter = torch.zeros(1, 4, 4)
    quarter[0, 0] = 0.3
    single = torch.zeros(1, 4, 4)
    single[0, 2, 2] = 0.7
    even = torch.full((1, 4, 4), 0.2)
    halves = torch.tensor([[[0.5, 0.25, 0.125, 0.125], *[[0.0] * 4] * 3]])
    # 4 of 16 cells: 2 of 4 bits; one cell: none; all: 4 of 4; 1/2, 1/4, 1/8, 1/8: 1.75 of 4.
    got = spatial_entropy(torch.cat([quarter, single, even, halves]))
    assert got.dtype == torch.float64
    assert got.tolist() == pytest.approx([0.5, 0.0, 1.0, 0.4375], abs=1e-12)


def test_histogram_by_hand() -> None:
    values = torch.zeros(1, 7, 7, dtype=torch.uint8)
    values[0, 0] = 255
    share = 7 / 49
    bits = -share * np.log2(share) - (1 - share) * np.log2(1 - share)
    assert histogram_entropy_bits(values).item() == pytest.approx(bits, abs=1e-12)
    assert histogram_entropy(values).item() == pytest.approx(bits / np.log2(49), abs=1e-12)


def test_histogram_of_large_maps_is_divided_by_eight_bits() -> None:
    every = torch.arange(256, dtype=torch.uint8).repeat(4).view(1, 32, 32)
    assert histogram_entropy_bits(every).item() == pytest.approx(8, abs=1e-12)
    assert histogram_entropy(every).item() == pytest.approx(1, abs=1e-12)


def test_authors_figure_of_a_map_with_these_counts() -> None:
    """Their check has 3.0413 bits of log2(49) = 5.6147, 0.542: the same division, on a map whose bits are known."""
    counts = [16, 8, 8, 4, 4, 4, 2, 1, 1, 1]
    values = torch.repeat_interleave(torch.arange(10, dtype=torch.uint8) * 20, torch.tensor(counts)).view(1, 7, 7)
    bits = sum(-count / 49 * np.log2(count / 49) for count in counts)
    assert histogram_entropy(values).item() == pytest.approx(bits / 5.614709844115208, abs=1e-12)
    assert float(np.log2(49)) == pytest.approx(3.0413 / 0.542, abs=5e-3)


@given(BYTES)
def test_histogram_equals_scikit_image_and_singles(maps: np.ndarray) -> None:
    batch = torch.from_numpy(maps)
    got = histogram_entropy_bits(batch)
    assert got.numpy() == pytest.approx([shannon_entropy(single) for single in maps], abs=1e-9)
    assert torch.equal(got, torch.cat([histogram_entropy_bits(single[None]) for single in batch]))
    assert ((histogram_entropy(batch) >= -1e-12) & (histogram_entropy(batch) <= 1 + 1e-12)).all()


@given(BYTES)
def test_spatial_is_in_range_and_ignores_order_and_scale(maps: np.ndarray) -> None:
    floats = torch.from_numpy(maps).float() + 1
    got = spatial_entropy(floats)
    assert ((got >= 0) & (got <= 1 + 1e-12)).all()
    assert got.numpy() == pytest.approx(spatial_entropy(floats.flip(1).mT * 0.125).numpy(), abs=1e-12)
    assert torch.equal(got, torch.cat([spatial_entropy(single[None]) for single in floats]))


def test_real_maps_against_scikit_image(input_maps: Tensor) -> None:
    expected = [shannon_entropy(single) / 8 for single in input_maps.numpy()]
    assert histogram_entropy(input_maps).numpy() == pytest.approx(expected, abs=1e-9)
