"""Moves by any number against torchvision and scikit-image, and the way back for maps."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from skimage.metrics import structural_similarity as theirs
from torch import Tensor

from app.domain.measures import GEOMETRIC_RESILIENCE
from app.domain.moves import MOVES, MoveKind, matrix_of
from app.domain.protocol import Protocol, ProtocolRequest
from app.imaging.geometry import as_seen
from benchmarks.moves import PEERS, TRIED, differences, photographs
from worker.functional.geometry import rotate_90_cw
from worker.functional.ssim import structural_similarity, structural_similarity_within
from worker.functional.warping import seen_by_both, warped
from worker.measures.base import Seen
from worker.measures.geometric_resilience import geometric_resilience
from worker.salience.maps import SalienceMaps
from worker.views import ViewSetting, make_views
from worker.views.base import ImageBatch
from worker.views.moved import MovedView

SIDE = 96
EVERY = [f"{kind}@{number:g}" for kind, numbers in TRIED.items() for number in numbers]


def asked(*moves: object) -> Protocol:
    measures = {"geometric_resilience": {"deformations": moves}}
    return ProtocolRequest.model_validate({"measures": measures}).resolve()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return photographs(SIDE)


def test_every_move_has_a_peer() -> None:
    assert set(MOVES) == set(PEERS) == set(TRIED)


@pytest.mark.parametrize("kind", MOVES)
def test_same_as_torchvision(kind: MoveKind, images: Tensor) -> None:
    """To a level: torchvision computes in single precision."""
    most, share = differences(kind, images)
    assert most <= 1
    assert share < 0.01


def test_a_quarter_turn_and_a_double_size_by_hand(images: Tensor) -> None:
    assert torch.equal(warped(images, matrix_of("rotation@90", SIDE, SIDE)), rotate_90_cw(images))
    small = torch.tensor([[10, 20], [30, 40]], dtype=torch.uint8)
    assert warped(small, matrix_of("scale@0.5", 2, 2)).tolist() == [[10, 20], [30, 40]]
    assert seen_by_both(matrix_of("scale@2", 5, 5), 5, 5).nonzero().tolist() == [
        [row, column] for row in (1, 2, 3) for column in (1, 2, 3)
    ]


@pytest.mark.parametrize("view", EVERY)
def test_a_map_that_follows_comes_back(view: str) -> None:
    """A smooth map moved as the image is, and carried back, is itself where both saw it; unmoved it is not."""
    places = torch.linspace(-1, 1, SIDE)
    maps = (255 * torch.exp(-((places[:, None] + 0.2) ** 2 + (places - 0.3) ** 2) / 0.2))[None].to(torch.uint8)
    moved = MovedView(view, matrix_of(view, SIDE, SIDE), (SIDE, SIDE))
    followed = warped(maps, moved.matrix)
    back = moved.carry_back(followed)
    inside = moved.seen
    assert int((back.int() - maps.int()).abs()[:, inside].max()) <= 2
    right, still = (float(structural_similarity_within(maps, one, inside)[0]) for one in (back, followed))
    assert right > 0.98
    assert still < right


def test_similarity_within_is_scikit_images_over_whole_windows(images: Tensor) -> None:
    first, second = images[:2, 0], images[:2, 1]
    inside = seen_by_both(matrix_of("rotation@30", SIDE, SIDE), SIDE, SIDE)
    found = structural_similarity_within(first, second, inside)
    whole = np.lib.stride_tricks.sliding_window_view(inside.numpy(), (7, 7)).all((2, 3))
    for number in range(2):
        _, each = theirs(first[number].numpy(), second[number].numpy(), full=True)
        assert float(found[number]) == pytest.approx(each[3:-3, 3:-3][whole].mean(), abs=1e-9)
    everywhere = torch.ones(SIDE, SIDE, dtype=torch.bool)
    whole_maps = structural_similarity_within(first, second, everywhere)
    assert torch.allclose(whole_maps, structural_similarity(first, second), atol=1e-12)


def test_scores_stand_beside_the_twelve(images: Tensor) -> None:
    protocol = asked({"kind": "rotation", "values": [15, 45]}, {"kind": "scale", "values": [1.25]})
    settings = GEOMETRIC_RESILIENCE.settings_in(protocol.measures)
    assert settings is not None
    setting = ViewSetting(protocol=protocol, input_size=SIDE, stride=(32, 32), colour=(0, 0, 0))
    views = make_views(protocol.conditions(), setting)
    clean = SalienceMaps(torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(1)), (None,) * 3, SIDE)
    changed = {name: SalienceMaps(clean.native.flip(0), (None,) * 3, SIDE) for name in views}
    scores = geometric_resilience(settings, Seen(clean, changed, views))
    assert list(scores)[-3:] == ["rotation@15", "rotation@45", "scale@1.25"]
    members = torch.stack([scores[name].values for name in settings.views])
    assert torch.equal(scores["all"].values, members.mean(0))
    batch = ImageBatch(images, ("a", "b", "c"))
    shown = as_seen(images[0].permute(1, 2, 0).numpy(), "rotation@15")
    seen = views["rotation@15"].transform(batch, clean)[0].permute(1, 2, 0).numpy()
    assert np.abs(shown.astype(int) - seen).mean() < 10


def test_protocols_without_them_are_as_before() -> None:
    assert (
        asked().digest()
        == ProtocolRequest.model_validate({"measures": {"geometric_resilience": {}}}).resolve().digest()
    )
    assert "deformations" not in asked().to_json()["measures"]["geometric_resilience"]  # type: ignore[index]


@pytest.mark.parametrize(("kind", "value"), [("scale", 1), ("rotation", 0), ("shear", 60), ("perspective", -0.1)])
def test_what_moves_nothing_or_too_far_is_refused(kind: str, value: float) -> None:
    with pytest.raises(ValidationError, match=f"the number of {kind} is from"):
        asked({"kind": kind, "values": [value]})
