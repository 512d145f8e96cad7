"""Maps made larger and smaller: the bytes of Pillow, compiled and by torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from torch import Tensor

from app.domain.models.input_size import size_of
from worker.functional import resampling
from worker.functional.native import native
from worker.functional.resampling import resize_bicubic_8bit

SIDES = st.integers(1, 24)
MAPS = SIDES.flatmap(lambda side: arrays.arrays(np.uint8, (2, side, side)))


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same bits, where a compiler was there to make the first."""
    chosen: str = request.param
    if chosen == "torch":
        monkeypatch.setattr(resampling, "native", None)
    elif native is None:
        pytest.skip("installed without a compiler")
    return chosen


def pillow(single: np.ndarray, size: int) -> np.ndarray:
    return np.array(Image.fromarray(single).resize((size, size), Image.Resampling.BICUBIC))


def resized(maps: np.ndarray, size: int) -> np.ndarray:
    return resize_bicubic_8bit(torch.from_numpy(maps), size).numpy()


@given(MAPS, st.integers(1, 64))
@settings(max_examples=200)
def test_equals_pillow(maps: np.ndarray, size: int) -> None:
    assert np.array_equal(resized(maps, size), np.stack([pillow(single, size) for single in maps]))


@given(arrays.arrays(np.uint8, st.tuples(st.just(1), SIDES, SIDES)), st.integers(24, 48))
@settings(max_examples=100)
def test_equals_pillow_for_oblong_maps_made_larger(maps: np.ndarray, size: int) -> None:
    assert np.array_equal(resized(maps, size)[0], pillow(maps[0], size))


@given(st.tuples(st.integers(0, 3), SIDES, SIDES).flatmap(lambda n: arrays.arrays(np.uint8, n)), st.integers(1, 64))
@settings(max_examples=100)
def test_compiled_and_torch_are_the_same_bits(maps: np.ndarray, size: int) -> None:
    """Of oblong maps and of views, too."""
    for seen in (torch.from_numpy(maps), torch.from_numpy(maps).mT):
        assert torch.equal(resize_bicubic_8bit(seen, size), resampling._by_torch(seen, size_of(size)))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("size", [7, 56, 224, 299, 512])
def test_equals_pillow_on_photographs(photographs: Tensor, size: int) -> None:
    maps = photographs[:, 1].contiguous().numpy()
    assert np.array_equal(resized(maps, size), np.stack([pillow(single, size) for single in maps]))


@pytest.mark.usefixtures("way")
def test_overshoot_is_clipped_between_the_passes() -> None:
    checkers = (np.indices((7, 7)).sum(0) % 2 * 255).astype(np.uint8)[None]
    assert np.array_equal(resized(checkers, 224)[0], pillow(checkers[0], 224))
    assert {0, 255} <= set(np.unique(resized(checkers, 224)))


@pytest.mark.usefixtures("way")
def test_same_size_changes_nothing(coarse_maps: Tensor) -> None:
    assert torch.equal(resize_bicubic_8bit(coarse_maps, 7), coarse_maps)


@pytest.mark.usefixtures("way")
def test_no_maps() -> None:
    assert resize_bicubic_8bit(torch.zeros(0, 7, 7, dtype=torch.uint8), 224).shape == (0, 224, 224)


def test_maps_of_inputs_that_are_not_square() -> None:
    maps = torch.randint(0, 256, (2, 6, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)
    expected = [np.asarray(Image.fromarray(one.numpy()).resize((64, 96), Image.Resampling.BICUBIC)) for one in maps]
    assert np.array_equal(resize_bicubic_8bit(maps, (96, 64)).numpy(), np.stack(expected))
