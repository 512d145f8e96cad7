"""Moves by any number against torchvision, SciPy and scikit-image, and the way back for maps."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.metrics import structural_similarity as theirs
from torch import Tensor

from app.domain.measures import GEOMETRIC_RESILIENCE
from app.domain.models.input_size import Size
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.views.moves import MOVES, MoveKind
from app.domain.vocabulary import UndefinedReason
from app.imaging.elastic import SMOOTHNESS, Displacement, elastic, largest_gradient
from app.imaging.geometry import as_seen
from app.imaging.motions import MOTIONS, Motion, motion_of, places
from app.imaging.pixel_order import order_generator
from benchmarks.moves import PEERS, TRIED, differences, photographs
from worker.functional.geometry import rotate_90_cw, shift
from worker.functional.ssim import structural_similarity, structural_similarity_within
from worker.functional.warping import inside, warped
from worker.measures.base import Seen
from worker.measures.geometric_resilience import geometric_resilience
from worker.views import View, ViewSetting, make_views
from worker.views.base import ImageBatch
from worker.views.maps import SalienceMaps

SIDE = 96
SQUARE = Size(SIDE, SIDE)
EVERY = [f"{kind}@{number:g}" for kind, numbers in TRIED.items() for number in numbers]
NAMES = ("a", "b", "c")


def asked(*moves: object, seed: int = 0) -> Protocol:
    measures = {"geometric_resilience": {"deformations": moves}}
    return ProtocolRequest.model_validate({"measures": measures, "seed": seed}).resolve()


def view_of(name: str, seed: int = 0) -> View:
    kind, _, number = name.partition("@")
    protocol = asked({"kind": kind, "values": [float(number)]}, seed=seed)
    return make_views([name], ViewSetting(protocol, SIDE, stride=(32, 32), colour=(0, 0, 0)))[name]


def drawn(view: str, size: Size = SQUARE) -> Motion:
    return motion_of(view, size, order_generator(0, "a", view))


@pytest.fixture(scope="module")
def images() -> Tensor:
    return photographs(SIDE)


def test_every_move_has_its_geometry_and_a_peer() -> None:
    assert list(MOVES) == list(MOTIONS)
    assert set(MOVES) == set(PEERS) == set(TRIED)


@pytest.mark.parametrize("kind", MOVES)
def test_same_as_torchvision(kind: MoveKind, images: Tensor) -> None:
    """To a level: torchvision computes in single precision."""
    most, share = differences(kind, images)
    assert most <= 1
    assert share < 0.01


def test_a_quarter_turn_a_double_size_and_a_shift_by_hand(images: Tensor) -> None:
    assert torch.equal(warped(images, [drawn("rotation@90").back]), rotate_90_cw(images))
    small = torch.tensor([[[10, 20], [30, 40]]], dtype=torch.uint8)
    assert warped(small, [drawn("scale@0.5", Size(2, 2)).back]).tolist() == [[[10, 20], [30, 40]]]
    five = Size(5, 5)
    assert inside([places(drawn("scale@2", five).there, five)])[0].nonzero().tolist() == [
        [row, column] for row in (1, 2, 3) for column in (1, 2, 3)
    ]
    everywhere = np.stack([np.full(SQUARE, 3.0), np.full(SQUARE, -5.0)])
    shifted = Displacement(everywhere, largest_gradient(everywhere))
    assert shifted.steepest == 0
    assert torch.equal(warped(images, [shifted.back]), shift(images, 5, -3))
    assert torch.equal(warped(images, [shifted.there]), shift(images, -5, 3))


@pytest.mark.parametrize("view", EVERY)
def test_a_map_that_follows_comes_back(view: str) -> None:
    """A smooth map moved as the image is, and carried back, is itself where both saw it; unmoved it is not."""
    down, right = torch.linspace(-1, 1, SIDE)[:, None], torch.linspace(-1, 1, SIDE)
    maps = (255 * torch.exp(-((down + 0.2) ** 2 + (right - 0.3) ** 2) / 0.2))[None].to(torch.uint8)
    motion = drawn(view)
    followed = warped(maps, [motion.back])
    back, seen = view_of(view).carry_back(followed, ["a"])
    assert seen is not None
    assert int((back.int() - maps.int()).abs()[seen].max()) <= 2
    scores = [float(structural_similarity_within(maps, one, seen)[0]) for one in (back, followed)]
    assert scores[0] > 0.98
    assert scores[1] < scores[0]


@pytest.mark.parametrize("size", [SQUARE, Size(60, 130)])
@pytest.mark.parametrize("stretch", [0.01, 0.5, 0.75])
def test_elastic_is_smoothed_noise_that_is_undone_to_a_thousandth_of_a_pixel(stretch: float, size: Size) -> None:
    """SciPy smooths the same noise, and finds at the end of the way there each pixel itself."""
    motion = elastic(stretch, size, np.random.default_rng(7))
    noise = np.random.default_rng(7).uniform(-1, 1, (2, *size))
    smooth = np.stack([gaussian_filter(one, SMOOTHNESS * min(size), mode="reflect", truncate=3) for one in noise])
    np.testing.assert_allclose(motion.field, smooth * stretch / largest_gradient(smooth), atol=1e-9)
    ended = motion.there + np.stack(
        [map_coordinates(one, motion.there, order=1, mode="nearest") for one in motion.field]
    )
    assert np.abs(ended - np.indices(size)).max() < 1e-3 * (1 - stretch)


def test_the_largest_gradient_is_the_most_that_any_two_places_differ_by() -> None:
    """Of a fold by hand; and of a drawn one in SciPy's hands, between the corners of pixels and within them."""
    fold = np.zeros((2, 3, 3))
    fold[1, :, 1] = 0.5
    assert largest_gradient(fold) == 0.5
    field = elastic(0.6, Size(40, 40), np.random.default_rng(1)).field
    stream = np.random.default_rng(2)
    first = stream.uniform(0, 39, (2, 40_000))
    second = first + stream.normal(0, 0.3, first.shape)
    apart = _between(field, second) - _between(field, first)
    share = np.hypot(*apart) / np.hypot(*(np.clip(second, 0, 39) - first))
    assert 0.5 < share.max() <= 0.6 + 1e-9


def _between(field: NDArray[np.float64], where: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([map_coordinates(one, where, order=1, mode="nearest") for one in field])


def test_elastic_streams_hang_on_seed_and_sample_alone(images: Tensor) -> None:
    no_maps: SalienceMaps = None  # type: ignore[assignment]
    view, maps = view_of("elastic@0.5"), images[:, 0]
    moved, (carried, seen) = view.transform(ImageBatch(images, NAMES), no_maps), view.carry_back(maps, NAMES)
    assert seen is not None
    for place, name in enumerate(NAMES):
        one = slice(place, place + 1)
        assert torch.equal(view.transform(ImageBatch(images[one], (name,)), no_maps), moved[one])
        alone = view.carry_back(maps[one], [name])
        assert alone.seen is not None
        assert torch.equal(alone.maps, carried[one])
        assert torch.equal(alone.seen, seen[one])
    assert 0.8 < float(seen.float().mean()) < 1
    assert not torch.equal(seen[0], seen[1])
    other = view_of("elastic@0.5", seed=1).transform(ImageBatch(images, NAMES), no_maps)
    assert not torch.equal(other, moved)


def test_similarity_within_is_scikit_images_over_whole_windows(images: Tensor) -> None:
    first, second = images[:2, 0], images[:2, 1]
    masks = inside([places(drawn(view).there, SQUARE) for view in ("rotation@30", "elastic@0.75")])
    found = structural_similarity_within(first, second, masks)
    for number, mask in enumerate(masks.numpy()):
        whole = np.lib.stride_tricks.sliding_window_view(mask, (7, 7)).all((2, 3))
        _, each = theirs(first[number].numpy(), second[number].numpy(), full=True)
        assert float(found[number]) == pytest.approx(each[3:-3, 3:-3][whole].mean(), abs=1e-9)
    everywhere = torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    whole_maps = structural_similarity_within(first, second, everywhere)
    assert torch.allclose(whole_maps, structural_similarity(first, second), atol=1e-12)


def test_scores_stand_beside_the_twelve(images: Tensor) -> None:
    moves = {"rotation": [15, 45], "scale": [1.25], "elastic": [0.5]}
    protocol = asked(*({"kind": kind, "values": values} for kind, values in moves.items()))
    settings = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    assert settings is not None
    setting = ViewSetting(protocol=protocol, input_size=SIDE, stride=(32, 32), colour=(0, 0, 0))
    views = make_views(protocol.conditions(), setting)
    clean = SalienceMaps(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1)), (None,) * 3, SIDE)
    changed = {name: SalienceMaps(clean.native.flip(0), (None,) * 3, SIDE) for name in views}
    scores = geometric_resilience(settings, Seen(clean, changed, views, NAMES))
    assert list(scores)[-4:] == ["rotation@15", "rotation@45", "scale@1.25", "elastic@0.5"]
    members = torch.stack([scores[name].values for name in settings.views])
    assert torch.equal(scores["all"].values, members.mean(0))
    batch = ImageBatch(images, NAMES)
    for name in ("rotation@15", "elastic@0.5"):
        shown = as_seen(images[1].permute(1, 2, 0).numpy(), name, order_generator(0, "b", name))
        seen = views[name].transform(batch, clean)[1].permute(1, 2, 0).numpy()
        assert np.abs(shown.astype(int) - seen).mean() < 10


@pytest.mark.parametrize(("side", "reason"), [(28, "too-little-in-common"), (40, None)])
def test_a_move_that_leaves_no_window_of_a_small_image(side: int, reason: str | None) -> None:
    """Four times as large, an image of 28 pixels shows fewer than the seven that a window has."""
    protocol = asked({"kind": "scale", "values": [4]})
    settings = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    assert settings is not None
    setting = ViewSetting(protocol=protocol, input_size=side, stride=(4, 4), colour=(0, 0, 0))
    views = make_views(protocol.conditions(), setting)
    native = torch.rand(2, 7, 7, generator=torch.Generator().manual_seed(1))
    reasons = (None, UndefinedReason.CONSTANT_MAP)
    clean = SalienceMaps(native, reasons, side)
    changed = {name: SalienceMaps(native.flip(0), (None, None), side) for name in views}
    score = geometric_resilience(settings, Seen(clean, changed, views, ("a", "b")))["scale@4"]
    assert score.reasons == (reason, "constant-map")
    assert bool(score.values.isnan().all()) == (reason is not None)


def test_protocols_without_them_are_as_before() -> None:
    assert (
        asked().digest()
        == ProtocolRequest.model_validate({"measures": {"geometric_resilience": {}}}).resolve().digest()
    )
    assert "deformations" not in asked().to_json()["measures"]["geometric_resilience"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("kind", "value"), [("scale", 1), ("rotation", 0), ("shear", 60), ("perspective", -0.1), ("elastic", 0.8)]
)
def test_what_moves_nothing_or_too_far_is_refused(kind: str, value: float) -> None:
    with pytest.raises(ValidationError, match=f"the number of {kind} is from"):
        asked({"kind": kind, "values": [value]})
