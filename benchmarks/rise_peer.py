"""RISE's authors' code (explanations.py of eclique/RISE), written again in NumPy and scikit-image."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.transform import resize
from torch import Tensor

from app.domain.models.input_size import Size
from worker.salience.rise import CELLS, KEPT, Drawn

Floats = NDArray[np.float64]


def their_masks(drawn: Drawn, size: Size) -> Floats:
    """(M, H, W), as ``generate_masks`` has them, of the same draws."""
    cell_size = np.ceil(np.array(size) / CELLS)
    up_size = (CELLS + 1) * cell_size
    masks = np.empty((len(drawn.kept), *size))
    for number, grid in enumerate(drawn.kept):
        x, y = drawn.places[number]
        enlarged = resize(grid, up_size.astype(int), order=1, mode="reflect", anti_aliasing=False)
        masks[number] = enlarged[x : x + size[0], y : y + size[1]]
    return masks


def their_map(network: Callable[[Tensor], Tensor], masks: Floats, image: Tensor, chosen: int) -> Floats:
    """(H, W), as ``forward`` has it: softmax of every masked image, and the masks under the class's."""
    stack = torch.from_numpy(masks[:, None]).float() * image
    with torch.no_grad():
        scores = network(stack).double().softmax(1).numpy()
    saliency = (scores.T @ masks.reshape(len(masks), -1)).reshape(-1, *masks.shape[1:])
    found: Floats = saliency[chosen] / len(masks) / KEPT
    return found
