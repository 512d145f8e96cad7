"""Salt and pepper: the pixels of scikit-image, from streams that hang on seed, sample and amount alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.util import img_as_float, random_noise
from torch import Tensor

from worker.functional import noise
from worker.functional.native import native
from worker.functional.noise import noise_generator, salt_and_pepper


@pytest.fixture(params=["compiled", "NumPy"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to the same draws, where a compiler was there to make the first."""
    chosen: str = request.param
    if chosen == "NumPy":
        monkeypatch.setattr(noise, "native", None)
    elif native is None:
        pytest.skip("installed without a compiler")
    return chosen


def scikit_image(image: Tensor, amount: float, generator: np.random.Generator) -> np.ndarray:
    floats = img_as_float(image.permute(1, 2, 0).numpy())
    noisy: np.ndarray = random_noise(floats, mode="s&p", amount=amount, rng=generator)
    return (noisy * 255).astype(np.uint8)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("amount", [0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0])
def test_equals_scikit_image_then_truncation(photographs: Tensor, amount: float) -> None:
    def generators() -> list[np.random.Generator]:
        return [noise_generator(7, sample, amount) for sample in ("astronaut", "chelsea", "coffee")]

    got = salt_and_pepper(photographs, amount, generators())
    expected = [scikit_image(image, amount, rng) for image, rng in zip(photographs, generators(), strict=True)]
    assert got.dtype == torch.uint8
    assert np.array_equal(got.permute(0, 2, 3, 1).numpy(), np.stack(expected))


@pytest.mark.usefixtures("way")
def test_every_level_is_truncated_as_scikit_image_does() -> None:
    every = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    got = salt_and_pepper(every, 0.0, [np.random.default_rng(0)])[0]
    assert np.array_equal(got.permute(1, 2, 0).numpy(), scikit_image(every[0], 0.0, np.random.default_rng(0)))


@given(st.floats(0.01, 0.99), st.integers(0, 2**63))
@settings(max_examples=30)
def test_share_and_halves(amount: float, seed: int) -> None:
    grey = torch.full((1, 3, 64, 64), 100, dtype=torch.uint8)
    noisy = salt_and_pepper(grey, amount, [noise_generator(seed, "grey", amount)])
    salt, pepper = (noisy == 255).double().mean().item(), (noisy == 0).double().mean().item()
    # Six standard deviations of 12288 draws.
    spread = 6 * 0.5 / np.sqrt(12288)
    assert salt == pytest.approx(amount / 2, abs=spread)
    assert pepper == pytest.approx(amount / 2, abs=spread)


def test_streams_depend_on_seed_sample_and_amount_alone(photographs: Tensor) -> None:
    def noisy(sample: str, seed: int = 1, amount: float = 0.05) -> Tensor:
        return salt_and_pepper(photographs[:1], amount, [noise_generator(seed, sample, amount)])

    assert torch.equal(noisy("a"), noisy("a"))
    for other in (noisy("b"), noisy("a", seed=2), noisy("a", amount=0.050000001)):
        assert not torch.equal(noisy("a"), other)


def test_batch_is_the_stack_of_singles(photographs: Tensor) -> None:
    names = ["astronaut", "chelsea", "coffee"]
    batch = salt_and_pepper(photographs, 0.25, [noise_generator(3, name, 0.25) for name in names])
    order = [2, 0, 1]
    for index in order:
        single = salt_and_pepper(photographs[index : index + 1], 0.25, [noise_generator(3, names[index], 0.25)])
        assert torch.equal(batch[index], single[0])


@pytest.mark.usefixtures("way")
def test_the_input_is_left_alone_and_every_image_needs_a_stream(photographs: Tensor) -> None:
    before = photographs.clone()
    salt_and_pepper(photographs[:1], 1.0, [np.random.default_rng(0)])
    assert torch.equal(photographs, before)
    with pytest.raises(ValueError, match="zip"):
        salt_and_pepper(photographs, 0.5, [np.random.default_rng(0)])


@pytest.mark.usefixtures("way")
def test_images_need_not_be_square_nor_their_generator_pcg(photographs: Tensor) -> None:
    image = photographs[0, :, :17, :31]
    got = salt_and_pepper(image.unsqueeze(0), 0.3, [np.random.Generator(np.random.MT19937(5))])[0]
    expected = scikit_image(image, 0.3, np.random.Generator(np.random.MT19937(5)))
    assert np.array_equal(got.permute(1, 2, 0).numpy(), expected)
