"""What a report shows of filled and mixed images is what the model saw."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from app.domain.protocol import ProtocolRequest
from app.imaging.filling import FillSource, as_filled
from app.imaging.geometry import as_seen, shifted
from worker.views.base import ImageBatch, View, ViewSetting
from worker.views.cells import cell_view
from worker.views.filled import filled_view, rest_view
from worker.views.geometry import geometric_view
from worker.views.maps import SalienceMaps

SIZE, CELLS, COLOUR = (60, 45), (4, 3), (124, 116, 104)
PROTOCOL = ProtocolRequest(preset="investigate", seed=7).resolve()
SETTING = ViewSetting(PROTOCOL, SIZE, (SIZE[0] // CELLS[0], SIZE[1] // CELLS[1]), COLOUR)


@pytest.fixture(scope="module")
def batch() -> ImageBatch:
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, *SIZE), dtype=np.uint8)
    return ImageBatch(torch.from_numpy(pixels), ("face/012.png",))


@pytest.fixture(scope="module")
def clean() -> SalienceMaps:
    return SalienceMaps(torch.from_numpy(np.random.default_rng(2).random((1, *CELLS), np.float32)), (None,), SIZE)


def seen_by_the_model(view: View, batch: ImageBatch, clean: SalienceMaps) -> np.ndarray:
    return view.transform(batch, clean)[0].permute(1, 2, 0).numpy()


@pytest.mark.parametrize("name", ["kept@0.1", "removed@0.1", "kept@0.5", "fill", "without_arrangement"])
def test_pixels_kept_removed_and_mixed(batch: ImageBatch, clean: SalienceMaps, name: str) -> None:
    view = filled_view(name, SETTING) if "@" in name else rest_view(name, SETTING)
    source = FillSource(batch.samples[0], PROTOCOL.seed, clean.native[0].numpy(), COLOUR)
    pixels = batch.images[0].permute(1, 2, 0).numpy()
    shown = as_filled(pixels, name, source)
    np.testing.assert_array_equal(shown, seen_by_the_model(view, batch, clean))
    assert (shown != pixels).any()


def test_colours_gone(batch: ImageBatch, clean: SalienceMaps) -> None:
    source = FillSource("a", 0, clean.native[0].numpy(), COLOUR)
    shown = as_filled(batch.images[0].permute(1, 2, 0).numpy(), "without_colour", source)
    grey = seen_by_the_model(rest_view("without_colour", SETTING), batch, clean)
    assert np.abs(shown.astype(int) - grey).max() <= 1, "float32 in another order"


def test_detail_gone() -> None:
    """A blur of one pixel in 224: SciPy's for the model, Pillow's for people."""
    pixels = np.random.default_rng(3).integers(0, 256, (448, 672, 3), dtype=np.uint8)
    batch = ImageBatch(torch.from_numpy(pixels).permute(2, 0, 1)[None], ("a",))
    maps = SalienceMaps(torch.ones(1, 7, 7), (None,), (448, 672))
    seen = seen_by_the_model(rest_view("without_detail", SETTING), batch, maps)
    np.testing.assert_array_equal(seen, gaussian_filter(pixels, (2, 2, 0)))
    shown = as_filled(pixels, "without_detail", FillSource("a", 0, np.ones((7, 7), np.float32), COLOUR))
    assert np.abs(shown.astype(int) - seen).mean() < 2


@pytest.mark.parametrize("name", ["shift_up_left", "shift_down", "flip_horizontal"])
def test_moved_and_mirrored(batch: ImageBatch, clean: SalienceMaps, name: str) -> None:
    pixels = batch.images[0].permute(1, 2, 0).numpy()[:45]
    square = ImageBatch(batch.images[:, :, :45], batch.samples)
    setting = ViewSetting(PROTOCOL, (45, 45), (15, 15), COLOUR)
    np.testing.assert_array_equal(
        as_seen(pixels, name, np.random.default_rng(0)), seen_by_the_model(geometric_view(name, setting), square, clean)
    )


def test_moved_by_cells(batch: ImageBatch, clean: SalienceMaps) -> None:
    pixels = batch.images[0].permute(1, 2, 0).numpy()
    view = cell_view("cells_1_right", SETTING)
    np.testing.assert_array_equal(shifted(pixels, 0, 15), seen_by_the_model(view, batch, clean))
