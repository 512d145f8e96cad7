"""Real images: those that the scikit-image wheel ships."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from skimage.data import astronaut, chelsea, coffee, lfw_subset
from torch import Tensor

from worker.functional.resampling import resize_bicubic_8bit

SIDE = 224


@pytest.fixture(scope="session")
def photographs() -> Tensor:
    """(3, 3, 224, 224) uint8."""
    resized = [Image.fromarray(make()).resize((SIDE, SIDE), Image.Resampling.BILINEAR) for make in PHOTOGRAPHS]
    return torch.from_numpy(np.stack([np.array(image) for image in resized])).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="session")
def coarse_maps() -> Tensor:
    """(8, 7, 7) uint8: faces shrunk to the size of a network's last feature map, each with a full range."""
    faces = lfw_subset()[:8]
    small = [Image.fromarray((face * 255).astype(np.uint8)).resize((7, 7)) for face in faces]
    stacked = np.stack([np.array(image) for image in small]).astype(np.float64)
    low, high = stacked.min((1, 2), keepdims=True), stacked.max((1, 2), keepdims=True)
    return torch.from_numpy(((stacked - low) / (high - low) * 255).astype(np.uint8))


@pytest.fixture(scope="session")
def input_maps(coarse_maps: Tensor) -> Tensor:
    """(8, 224, 224) uint8."""
    return resize_bicubic_8bit(coarse_maps, SIDE)


PHOTOGRAPHS: tuple[Callable[[], NDArray[np.uint8]], ...] = (astronaut, chelsea, coffee)
