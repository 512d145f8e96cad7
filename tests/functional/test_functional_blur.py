"""The paper's degradation: against SciPy, exactly, and the fast mix against the exact one, within the tolerance."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity as scikit_image
from torch import Tensor

from worker.functional import blur
from worker.functional.blur import degradation_levels, degrade_exact, sigma_of_levels
from worker.functional.blur_stack import blur_stack, blur_table, degrade_fast
from worker.functional.native import native

CPU = torch.device("cpu")
SIDES = st.integers(1, 40)
CURVES = [(10.0, 4), (10.0, 1), (20.0, 2), (3.0, 4)]


@pytest.fixture(params=["compiled", "scipy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same bits, where a compiler was there to make the first."""
    chosen: str = request.param
    if chosen == "scipy":
        monkeypatch.setattr(blur, "native", None)
    elif native is None:
        pytest.skip("installed without a compiler")
    return chosen


def as_the_authors(image: np.ndarray, single: np.ndarray, curve: int) -> np.ndarray:
    """A slow loop over the levels of one (3, S, S) image, written from the measure's definition."""
    smooth = gaussian_filter(single, sigma=5)
    levels = np.round(smooth / smooth.max() * 10, 1)
    out = np.empty_like(image)
    for level in np.unique(levels):
        sigma = (10 - level) ** 4 / 1000 if curve == 4 else 10 - level
        chosen = levels == level
        for channel, target in zip(image, out, strict=True):
            target[chosen] = gaussian_filter(channel, sigma=sigma)[chosen]
    return out


def fast(images: Tensor, levels: Tensor, sigmas: np.ndarray) -> Tensor:
    table = blur_table(tuple(sigmas.tolist()), CPU)
    return degrade_fast(blur_stack(images, table.knots), levels, table)


def test_sigma_of_the_paper() -> None:
    sigmas = sigma_of_levels(10.0, 4)
    values = np.arange(101) / 10
    assert sigmas == pytest.approx((10 - values) ** 4 / 1000, abs=1e-12)
    assert (sigmas[0], sigmas[100]) == (10, 0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("curve", [4, 1])
def test_exact_equals_a_slow_loop(photographs: Tensor, input_maps: Tensor, curve: int) -> None:
    images, maps = photographs[:2], input_maps[:2]
    directions = [degradation_levels(maps), degradation_levels(255 - maps)]
    degraded = degrade_exact(images, directions, sigma_of_levels(10.0, curve))
    for got, single_maps in zip(degraded, (maps, 255 - maps), strict=True):
        for image, single, one in zip(images.numpy(), single_maps.numpy(), got.numpy(), strict=True):
            assert np.array_equal(one, as_the_authors(image, single, curve))


@given(
    SIDES.flatmap(lambda side: arrays.arrays(np.uint8, (1, 3, side, side))),
    st.integers(0, 2**32 - 1),
    st.sampled_from([1, 7, 101]),
)
@settings(max_examples=60)
def test_exact_equals_scipy_on_any_image(images: np.ndarray, seed: int, kinds: int) -> None:
    """Kernels wider than the image are reflected more than once; runs of one level are long and short."""
    sigmas = sigma_of_levels(10.0, 4)
    few = np.random.default_rng(seed).integers(0, 101, kinds)
    levels = np.random.default_rng(seed).choice(few, images.shape[2:]).astype(np.uint8)
    got = degrade_exact(torch.from_numpy(images), [torch.from_numpy(levels[None])], sigmas)[0][0].numpy()
    for level in np.unique(levels):
        expected = gaussian_filter(images[0], (0, sigmas[level], sigmas[level]))
        assert np.array_equal(got[:, levels == level], expected[:, levels == level])


@given(
    st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 12)).flatmap(lambda n: arrays.arrays(np.uint8, n)),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60)
def test_compiled_equals_scipy_for_any_channels_and_oblong_images(image: np.ndarray, seed: int) -> None:
    levels = np.random.default_rng(seed).integers(0, 101, (2, *image.shape[1:]), dtype=np.uint8)
    sigmas = sigma_of_levels(10.0, 4)
    expected = np.empty((2, *image.shape), np.uint8)
    blur._degrade_by_scipy(sigmas, image, levels, expected)
    found = degrade_exact(torch.from_numpy(image[None]), list(torch.from_numpy(levels[:, None])), sigmas)
    assert np.array_equal(torch.cat(found).numpy(), expected)


@given(arrays.arrays(np.uint8, (1, 16, 16)))
@settings(max_examples=50)
def test_levels_equal_scipy(maps: np.ndarray) -> None:
    got = degradation_levels(torch.from_numpy(maps))[0].numpy()
    smooth = gaussian_filter(maps[0], 5)
    if smooth.max() == 0:
        assert not got.any()
    else:
        assert np.array_equal(got / 10, np.round(smooth / smooth.max() * 10, 1))
        assert got.max() == 100


def test_levels_of_singles_and_of_nothing(input_maps: Tensor) -> None:
    batch = degradation_levels(input_maps)
    assert batch.dtype == torch.uint8
    assert torch.equal(batch, torch.cat([degradation_levels(single[None]) for single in input_maps]))
    assert degradation_levels(input_maps[:0]).shape == (0, 224, 224)


@pytest.mark.parametrize(("sigma_max", "curve"), CURVES)
def test_fast_is_near_exact(photographs: Tensor, input_maps: Tensor, sigma_max: float, curve: int) -> None:
    sigmas = sigma_of_levels(sigma_max, curve)
    maps = input_maps[:3]
    directions = [degradation_levels(maps), degradation_levels(255 - maps)]
    exact = degrade_exact(photographs, directions, sigmas)
    for levels, precise in zip(directions, exact, strict=True):
        got = fast(photographs, levels, sigmas)
        assert (got.float() - precise.float()).mean().abs() < 0.05
        assert (got.float() - precise.float()).abs().mean() < 0.5
        for one, other in zip(got, precise, strict=True):
            similarity = scikit_image(one.numpy(), other.numpy(), channel_axis=0, data_range=255)
            assert similarity > 0.99


@pytest.mark.parametrize("level", [0, 20, 40, 60])
def test_fast_on_one_sigma_everywhere(photographs: Tensor, level: int) -> None:
    sigmas = sigma_of_levels(10.0, 4)
    got = fast(photographs, torch.full((3, 224, 224), level, dtype=torch.uint8), sigmas)
    expected = gaussian_filter(photographs.numpy(), (0, 0, sigmas[level], sigmas[level]))
    assert np.abs(got.numpy().astype(float) - expected).mean() < 0.6


def test_most_salient_pixels_are_untouched(photographs: Tensor) -> None:
    sigmas = sigma_of_levels(10.0, 4)
    for level in (67, 80, 100):
        assert torch.equal(fast(photographs, torch.full((3, 224, 224), level, dtype=torch.uint8), sigmas), photographs)


@given(arrays.arrays(np.uint8, (2, 3, 20, 20)), arrays.arrays(np.uint8, (2, 20, 20), elements={"max_value": 100}))
@settings(max_examples=30)
def test_fast_on_any_image(images: np.ndarray, levels: np.ndarray) -> None:
    """Noise is the worst case of the fit, and the blur is wider than the image."""
    sigmas = sigma_of_levels(10.0, 4)
    batch, chosen = torch.from_numpy(images), torch.from_numpy(levels)
    got = fast(batch, chosen, sigmas)
    precise = degrade_exact(batch, [chosen], sigmas)[0]
    assert (got.float() - precise.float()).abs().max() < 32
    # Matrix products may round otherwise for another number of images: a value on the edge moves by one level.
    singles = torch.cat([fast(batch[i : i + 1], chosen[i : i + 1], sigmas) for i in range(2)])
    assert (got.int() - singles.int()).abs().max() <= 1


def test_knots_are_the_untruncated_blur(photographs: Tensor) -> None:
    knots = blur_table(tuple(sigma_of_levels(10.0, 4).tolist()), CPU).knots
    stack = blur_stack(photographs, knots)
    for blurred, sigma in zip(stack.numpy(), knots, strict=True):
        expected = gaussian_filter(photographs.numpy().astype(np.float64), (0, 0, sigma, sigma))
        assert np.abs(blurred - expected).max() < 0.05


def test_weights_sum_to_one() -> None:
    for sigma_max, curve in CURVES:
        table = blur_table(tuple(sigma_of_levels(sigma_max, curve).tolist()), CPU)
        assert table.weights.sum(0).numpy() == pytest.approx(np.ones(101), abs=1e-5)
        assert ((table.weights != 0).sum(0) <= 4).all()
