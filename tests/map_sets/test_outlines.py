"""Masks of annotations, pixel for pixel those of scikit-image's ``polygon`` and of run lengths laid out, at a price
that does not grow with the pixels inside."""

import time
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage.draw import polygon

from worker.map_files import masks, outlines
from worker.map_files.found import Size
from worker.map_files.masks import Mask, fill_runs
from worker.map_files.outlines import FARTHEST, Points, fill_outline

Bits = NDArray[np.bool_]
WIDE: Size = (640, 480)


def by_library(points: Points, size: Size) -> Bits:
    x, y = points.T
    mask = np.zeros(size[::-1], np.bool_)
    mask[polygon(y - 0.5, x - 0.5, mask.shape)] = True
    return mask


def drawn(points: Points, size: Size) -> Bits:
    mask = Mask(size)
    fill_outline(mask, points)
    found: Bits = mask.drawn() == 1
    return found


def ring(corners: int) -> Points:
    """A star with as many corners, most of an image wide."""
    turns = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    reach = np.random.default_rng(corners).uniform(0.5, 1, corners)
    return np.stack([320 + 300 * reach * np.cos(turns), 240 + 230 * reach * np.sin(turns)], 1)


@pytest.mark.parametrize(
    "placed",
    [lambda points: points, np.round, lambda points: np.round(points) + 0.5, lambda points: np.round(points * 2) / 2],
    ids=["anywhere", "between pixels", "on middles", "on both"],
)
@pytest.mark.parametrize("at_once", [outlines.CROSSINGS, 1])
def test_outlines_are_those_of_scikit_image(
    placed: Callable[[Points], Points], at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of any form: crossing themselves, beyond the image, with corners and edges on the middles of pixels."""
    monkeypatch.setattr(outlines, "CROSSINGS", at_once)
    stream = np.random.default_rng(0)
    for _ in range(100):
        width, height = stream.integers(1, 40, 2).tolist()
        points = placed(stream.uniform(-10, 50, (int(stream.integers(3, 12)), 2)))
        points[1] = points[0] if stream.random() < 0.1 else points[1]
        assert (drawn(points, (width, height)) == by_library(points, (width, height))).all(), points.tolist()


def test_an_outline_costs_what_its_edges_cost() -> None:
    """Of 300 corners on 640 x 480 pixels the library asks every pixel about every edge: two hundred times as long."""
    points = ring(300)
    begun = time.perf_counter()
    found = drawn(points, WIDE)
    between = time.perf_counter()
    expected = by_library(points, WIDE)
    assert (found == expected).all()
    assert (between - begun) * 5 < time.perf_counter() - between


@pytest.mark.parametrize("place", [2 * FARTHEST, np.inf, np.nan])
def test_points_beyond_all_images(place: float) -> None:
    with pytest.raises(ValueError, match="a point that is not within 1e\\+09 pixels"):
        drawn(np.array([(0, 0), (9, place), (9, 9)], np.float64), WIDE)


@pytest.mark.parametrize("waiting", [masks.MOST_SPANS, 1])
def test_shapes_of_one_image_add_up(waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outlines that lie on each other, runs down the columns beside them; none of them takes from another."""
    monkeypatch.setattr(masks, "MOST_SPANS", waiting)
    square, shifted = (np.array([(a, a), (a + 6, a), (a + 6, a + 6), (a, a + 6)], np.float64) for a in (2, 4))
    mask, expected = Mask((12, 9)), np.zeros((9, 12), np.bool_)
    for points in (square, shifted):
        fill_outline(mask, points)
    counts = [0, 10, 60, 30, 8]
    for _ in range(2):
        fill_runs(mask, counts)
    expected[2:8, 2:8] = expected[4:9, 4:10] = True
    expected |= np.repeat([False, True, False, True, False], counts).reshape((9, 12), order="F")
    assert (mask.drawn() == expected).all()


def test_nothing_is_drawn_of_nothing() -> None:
    mask = Mask((3, 2))
    fill_outline(mask, np.array([(0, 0), (2, 2)], np.float64))
    fill_runs(mask, [6])
    assert mask.drawn().tolist() == [[0, 0, 0], [0, 0, 0]]
