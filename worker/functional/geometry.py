"""Shifts, flips and quarter turns of (..., H, W) tensors; every result is bit-exact."""

import torch
from torch import Tensor


def shift(images: Tensor, right: int, down: int) -> Tensor:
    """Move the content by that many pixels (negative: left, up); the border that comes free repeats the edge."""
    height, width = images.shape[-2:]
    rows = (torch.arange(height, device=images.device) - down).clamp_(0, height - 1)
    columns = (torch.arange(width, device=images.device) - right).clamp_(0, width - 1)
    return images.index_select(-2, rows).index_select(-1, columns)


def compared_region(right: int, down: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of a (size, size) image whose pixels are still inside after a shift."""
    rows = slice(max(-down, 0), size - max(down, 0))
    columns = slice(max(-right, 0), size - max(right, 0))
    return rows, columns


def flip_horizontal(images: Tensor) -> Tensor:
    """Left becomes right."""
    return images.flip(-1)


def flip_vertical(images: Tensor) -> Tensor:
    """Top becomes bottom."""
    return images.flip(-2)


def rotate_90_cw(images: Tensor) -> Tensor:
    """A quarter turn clockwise."""
    return images.rot90(-1, (-2, -1)).contiguous()


def rotate_90_ccw(images: Tensor) -> Tensor:
    """A quarter turn counter-clockwise."""
    return images.rot90(1, (-2, -1)).contiguous()
