"""Occlusion: how far the class's logit falls where a part of the image is hidden.

Zeiler and Fergus 2014, arXiv 1311.2901, with one window a cell of the target layer's grid, side by side. What is hidden
becomes zero after normalisation: the colour that the model's preprocessing takes away. Where hiding a window raises the
logit, the map is zero.
"""

import torch
from torch import Tensor

from worker.salience.one_by_one import Case, parts


def occlusion(case: Case) -> Tensor:
    """(h, w), a cell a window; those of Captum's ``Occlusion`` where the grid divides the image."""
    height, width = case.features.shape[2:]
    cells = _cells(case.image, height, width)
    falls = torch.empty(height * width, device=case.image.device)
    for part in parts(len(falls)):
        numbers = torch.arange(part.start, part.stop, device=cells.device)
        shown = cells != numbers.view(-1, 1, 1, 1)
        falls[part] = case.logits[0, case.chosen] - case.scores(case.image * shown)
    return falls.relu().view(height, width)


def _cells(image: Tensor, height: int, width: int) -> Tensor:
    """(1, 1, H, W) int64: the number of the cell that each pixel lies in."""
    rows = torch.arange(image.shape[2], device=image.device) * height // image.shape[2]
    columns = torch.arange(image.shape[3], device=image.device) * width // image.shape[3]
    return (rows[:, None] * width + columns)[None, None]
