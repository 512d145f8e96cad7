"""Orders, fills and curves of sufficiency: by hand, and against NumPy."""

import numpy as np
import pytest
import torch

from app.domain.measures.sufficiency import SufficiencySettings
from app.domain.summaries.groups import Groups
from app.domain.summaries.sufficiency import smallest_share, sufficiency_report
from app.imaging.pixel_order import cell_ranks, order_generator, pixel_ranks, within_share
from worker.functional.fills import coloured, inpainted
from worker.functional.sufficiency import area_under, risen


def test_pixels_come_by_level_and_ties_by_chance() -> None:
    levels = np.array([[0, 9, 9], [255, 9, 9]], np.uint8)
    seen = set()
    for seed in range(40):
        ranks = pixel_ranks(levels, order_generator(seed, "a.png", "salience"))
        assert sorted(ranks.ravel().tolist()) == list(range(6))
        assert (ranks[1, 0], ranks[0, 0]) == (0, 5)
        seen.add(tuple(ranks.ravel().tolist()))
    assert len(seen) > 10, "ties are not broken by place"
    again = pixel_ranks(levels, order_generator(39, "a.png", "salience"))
    np.testing.assert_array_equal(ranks, again)
    levels = np.random.default_rng(1).permutation(np.arange(256, dtype=np.uint8)).reshape(16, 16)
    np.testing.assert_array_equal(pixel_ranks(levels, order_generator(0, "b", "salience")), 255 - levels.astype(int))


def test_cells_come_whole_at_random() -> None:
    ranks = cell_ranks((2, 2), (4, 6), order_generator(1, "a.png", "random"))
    cells = [ranks[:2, :3], ranks[:2, 3:], ranks[2:, :3], ranks[2:, 3:]]
    assert sorted(sorted(cell.ravel().tolist()) for cell in cells) == [list(range(6 * i, 6 * i + 6)) for i in range(4)]
    firsts = [int(cell_ranks((2, 2), (4, 4), order_generator(2, str(i), "random"))[0, 0] == 0) for i in range(400)]
    assert 70 < sum(firsts) < 130, "each cell comes first in a quarter of the samples"
    assert within_share(ranks, 0.25).sum() == 6
    assert not within_share(ranks, 0.0).any()


def test_inpainting_keeps_what_is_known() -> None:
    images = torch.randint(0, 256, (3, 3, 33, 20), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    known = torch.rand(3, 1, 33, 20, generator=torch.Generator().manual_seed(2)) < 0.3
    known[2] = False
    filled = inpainted(images, known, (10, 20, 30))
    assert torch.equal(filled[known.expand_as(filled)], images[known.expand_as(images)])
    assert torch.equal(filled[2], coloured(images, (10, 20, 30))[2])
    flat = torch.full((1, 3, 32, 32), 77, dtype=torch.uint8)
    assert torch.equal(inpainted(flat, known[:1, :, :32, :1].expand(1, 1, 32, 32), (0, 0, 0)), flat)
    assert torch.equal(inpainted(images[:1], torch.ones_like(known[:1]), (0, 0, 0)), images[:1])


def test_inpainting_continues_what_is_around() -> None:
    """A ramp with a hole: within a few levels of the ramp, where one colour would be off by up to 120."""
    ramp = torch.linspace(0, 240, 64).view(1, 1, 1, 64).expand(1, 3, 64, 64).round().to(torch.uint8)
    known = torch.ones(1, 1, 64, 64, dtype=torch.bool)
    known[..., 24:40, 24:40] = False
    difference = (inpainted(ramp, known, (0, 0, 0)).int() - ramp.int()).abs()
    assert int(difference.max()) <= 20


def test_curves_by_hand() -> None:
    """From 0.2 (the fill) to 0.7 (the whole): 0.45 is half of the way. The third sample does not rise."""
    scores = np.array([[0.2, 0.45, 0.7], [0.7, 0.7, 0.7], [0.5, 0.5, 0.5]])
    curves = risen(scores, np.array([0.2, 0.2, 0.49]), np.array([0.7, 0.7, 0.5]))
    np.testing.assert_allclose(curves, np.array([[0, 0.5, 1], [1, 1, 1], [np.nan] * 3]), atol=1e-12)
    shares = np.array([0.1, 0.2, 0.5])
    # 0 to 0.1: 0; to 0.2: 0.025; to 0.5: 0.225; to 1: 0.5.
    np.testing.assert_allclose(area_under(shares, curves[:1], (0, 1)), [0.75])
    expected = [np.trapezoid([1, *row, 0], [0, *shares, 1]) for row in curves]
    np.testing.assert_allclose(area_under(shares, curves, (1, 0)), expected)


def test_smallest_share_counts_from_the_end() -> None:
    """At 10% nine of ten keep their class, at 20% eight, from 50% on all: a dip ends the run."""
    kept = np.ones((10, 3), bool)
    kept[0, 0] = kept[0, 1] = kept[1, 1] = False
    shares = np.array([0.1, 0.2, 0.5])
    assert smallest_share(shares, kept, 0.9) == 0.5
    assert smallest_share(shares, kept, 0.8) == 0.1
    assert smallest_share(shares, np.zeros((4, 3), bool), 0.9) == 1.0
    assert smallest_share(shares, np.zeros((0, 3), bool), 0.9) is None
    assert smallest_share(shares, kept, 0.9) == pytest.approx(0.5)


def test_report_leaves_out_what_the_fill_says() -> None:
    """Three samples: the fill says class 0, which is the first one's own."""
    settings = SufficiencySettings(shares=(0.1, 0.5))
    orders = [view for order in ("kept", "removed", "kept_random", "removed_random") for view in settings.curve(order)]
    conditions = ("clean", "fill", *orders)
    predicted = np.array([[0, 0, *[0] * 8], [1, 0, 1, 1, 0, 0, 0, 1, 1, 0], [1, 0, 0, 1, 0, 0, 0, 1, 1, 0]])
    found = sufficiency_report(settings, conditions, predicted, Groups(("a", "b", "a"), (None,) * 3))
    assert found["n"] == 2
    assert found["unchanged"] == {
        "kept": [0.5, 1.0],
        "removed": [0.0, 0.0],
        "kept_random": [0.0, 1.0],
        "removed_random": [1.0, 0.0],
    }
    assert (found["area_90"], found["area_90_random"]) == (0.5, 0.5)
    assert (found["by_label"]["a"]["n"], found["by_label"]["b"]["area_90"]) == (1, 0.1)
