"""Structural similarity against scikit-image, one window by hand, and the same bits compiled and by torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from skimage.metrics import structural_similarity as scikit_image
from torch import Tensor

from app.domain.maps.similarities import SIMILARITIES, Similarity
from worker.functional import ssim
from worker.functional.native import native
from worker.functional.ssim import pairwise_structural_similarity, structural_similarity
from worker.functional.ssim_constants import WINDOW

SHAPES = st.tuples(st.integers(7, 20), st.integers(7, 20))
PAIRS = SHAPES.flatmap(lambda shape: arrays.arrays(np.uint8, (2, 2, *shape)))


@pytest.fixture(params=["compiled", "torch"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same sums, where a compiler was there to make the first."""
    chosen: str = request.param
    if chosen == "torch":
        monkeypatch.setattr(ssim, "native", None)
    elif native is None:
        pytest.skip("installed without a compiler")
    return chosen


def expected(first: np.ndarray, second: np.ndarray) -> list[float]:
    return [scikit_image(one, other, data_range=255) for one, other in zip(first, second, strict=True)]


def check(first: np.ndarray, second: np.ndarray) -> None:
    got = structural_similarity(torch.from_numpy(first), torch.from_numpy(second))
    assert got.dtype == torch.float64
    assert got.numpy() == pytest.approx(expected(first, second), abs=1e-9)


@given(PAIRS)
@settings(max_examples=100)
def test_equals_scikit_image(pairs: np.ndarray) -> None:
    check(*pairs)


@given(PAIRS)
@settings(max_examples=50)
def test_compiled_and_torch_agree(pairs: np.ndarray) -> None:
    first, second = torch.from_numpy(pairs)
    plain = ssim._similarity(ssim.window_sums(first), ssim.window_sums(second))
    assert structural_similarity(first, second).numpy() == pytest.approx(plain.numpy(), abs=1e-12)


@pytest.mark.usefixtures("way")
def test_equals_scikit_image_on_real_maps(input_maps: Tensor, coarse_maps: Tensor, photographs: Tensor) -> None:
    check(input_maps[:4].numpy(), input_maps[4:].numpy())
    check(coarse_maps[:4].numpy(), coarse_maps[4:].numpy())
    check(photographs[:, 0].numpy(), photographs[:, 1].numpy())


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("shape", [(7, 7), (7, 31), (14, 14), (300, 301)])
def test_extreme_maps(shape: tuple[int, int]) -> None:
    black, white = np.zeros((1, *shape), np.uint8), np.full((1, *shape), 255, np.uint8)
    checkers = (np.indices(shape).sum(0) % 2 * 255).astype(np.uint8)[None]
    check(np.concatenate([black, black, checkers, white]), np.concatenate([black, white, 255 - checkers, checkers]))


@pytest.mark.usefixtures("way")
def test_one_window_by_hand() -> None:
    first, second = torch.zeros(1, 7, 7, dtype=torch.uint8), torch.zeros(1, 7, 7, dtype=torch.uint8)
    first[0, 0, 0] = second[0, 6, 6] = 49
    # Means 1 and 1; variances 49 * 48 / 48 = 49; covariance -49 / 48.
    by_hand = (-49 / 24 + 58.5225) / (2 * 49 + 58.5225)
    assert structural_similarity(first, second).item() == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.usefixtures("way")
def test_identical_symmetric_and_singles(input_maps: Tensor) -> None:
    first, second = input_maps[:4], input_maps[4:]
    assert structural_similarity(first, first).tolist() == pytest.approx([1] * 4, abs=1e-12)
    batch = structural_similarity(first, second)
    assert batch.numpy() == pytest.approx(structural_similarity(second, first).numpy(), abs=1e-12)
    singles = [structural_similarity(one[None], other[None]) for one, other in zip(first, second, strict=True)]
    assert batch.numpy() == pytest.approx(torch.cat(singles).numpy(), abs=1e-12)


@pytest.mark.usefixtures("way")
def test_cropped_and_turned_maps(input_maps: Tensor) -> None:
    """Views are not contiguous where a shift's overlap or a turned map is compared."""
    first, second = input_maps[:2, 16:, :208], input_maps[2:4].mT[:, 16:, :208]
    expected_scores = expected(first.numpy(), second.numpy())
    assert structural_similarity(first, second).numpy() == pytest.approx(expected_scores, abs=1e-9)


@pytest.mark.usefixtures("way")
def test_refusals() -> None:
    small = torch.zeros(2, 6, 9, dtype=torch.uint8)
    with pytest.raises(ValueError, match="6 x 9"):
        structural_similarity(small, small)
    with pytest.raises(ValueError, match="cannot be compared"):
        structural_similarity(torch.zeros(1, 7, 7, dtype=torch.uint8), torch.zeros(2, 7, 7, dtype=torch.uint8))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("side", [7, 9])
@pytest.mark.parametrize("runs", [2, 4])
def test_pairs_equal_scikit_image(side: int, runs: int) -> None:
    maps = np.random.default_rng(side).integers(0, 256, (runs, 3, side, side), dtype=np.uint8)
    maps[1, 0] = maps[0, 0]
    got = pairwise_structural_similarity(torch.from_numpy(maps))
    pairs = [(i, j) for i in range(runs) for j in range(i + 1, runs)]
    assert got.shape == (len(pairs), 3)
    assert got.dtype == torch.float64
    assert got.numpy() == pytest.approx(np.stack([expected(maps[i], maps[j]) for i, j in pairs]), abs=1e-9)


@given(st.tuples(st.integers(1, 6), st.integers(0, 5)).flatmap(lambda n: arrays.arrays(np.uint8, (*n, 7, 7))))
@settings(max_examples=50)
def test_compiled_and_torch_pairs_are_the_same_bits(maps: np.ndarray) -> None:
    """Batches of rows and views among them: the compiled way reads what is contiguous."""
    runs = torch.from_numpy(maps)
    for seen in (runs, runs.mT, runs[:, ::2]):
        assert torch.equal(pairwise_structural_similarity(seen), ssim._pairwise_single_window(seen))


def test_the_front_end_knows_the_window() -> None:
    """It says which maps were compared at the input's resolution, and may import nothing of the worker."""
    assert SIMILARITIES[Similarity.SSIM].fewest_rows == WINDOW
