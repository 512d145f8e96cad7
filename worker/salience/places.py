"""Positions as tensors: what they are of grids, and of what is mixed, joined or put into another shape.

An int64 tensor of the shape of another one packs the image's number in the batch with the row and the column of the
cell's centre, in parts of the image. What belongs to no cell, as class tokens do, is ``NOWHERE``.
"""

import torch
from torch import Tensor

NOWHERE = -1
BITS = 21
PARTS = 2**BITS
"""In so many parts an image's sides are counted."""


def grid_positions(shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Of feature maps (N, C, H, W)."""
    images, _, height, width = shape
    down, right = (((2 * torch.arange(size, device=device) + 1) * PARTS) // (2 * size) for size in (height, width))
    first = torch.arange(images, device=device).view(-1, 1, 1, 1)
    return packed(first, down.view(1, 1, -1, 1), right.view(1, 1, 1, -1)).expand(shape)


def packed(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    return (images << 2 * BITS) + (down << BITS) + right


def unpacked(positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Image, row and column; of what is somewhere."""
    return positions >> 2 * BITS, (positions >> BITS) % PARTS, positions % PARTS


def is_constant(positions: Tensor, axis: int) -> bool:
    """Whether nothing changes along an axis."""
    if positions.shape[axis] == 1 or positions.stride(axis) == 0:
        return True
    return bool((positions == positions.narrow(axis, 0, 1)).all())


def nowhere(tensor: Tensor) -> Tensor:
    return torch.full((), NOWHERE, device=tensor.device).expand(tensor.shape)


def compact(positions: Tensor) -> Tensor:
    """The same, without memory for channels that have one position."""
    for axis in (1, -1):
        if positions.dim() > 2 and positions.stride(axis) != 0 and is_constant(positions, axis):
            positions = positions.narrow(axis, 0, 1).clone().expand(positions.shape)
    return positions


def _thin(positions: Tensor) -> Tensor:
    """Without axes along which nothing changes; such axes keep one entry."""
    for axis in range(positions.dim()):
        if positions.stride(axis) == 0:
            positions = positions.narrow(axis, 0, 1)
    return positions


def is_same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(_thin(one), _thin(other))


def agreed(one: Tensor, other: Tensor) -> Tensor | None:
    """Each fills the other's gaps. Of two that differ, the one that tells more places apart: what a residual branch
    mixed over cells is added to where it came from. None where neither does.
    """
    shape, one, other = one.shape, _thin(one), _thin(other)
    if bool(((one >= 0) & (other >= 0) & (one != other)).any()):
        counts = len(torch.unique(one)), len(torch.unique(other))
        chosen = None if counts[0] == counts[1] else (one if counts[0] > counts[1] else other)
        return None if chosen is None else chosen.expand(shape)
    return torch.where(one >= 0, one, other).expand(shape)


def mixed(positions: Tensor, axis: int) -> Tensor:
    """The middle over an axis, kept with one entry; of what is somewhere."""
    if is_constant(positions, axis):
        return positions.narrow(axis, 0, 1)
    somewhere = positions >= 0
    count = somewhere.sum(axis, keepdim=True).clamp(min=1)
    sums = (part.where(somewhere, 0).sum(axis, keepdim=True) for part in unpacked(positions))
    middle = packed(*(total // count for total in sums))
    return middle.where(somewhere.any(axis, keepdim=True), NOWHERE)


def reshaped(positions: Tensor, shape: torch.Size) -> Tensor:
    """In another shape; without memory for the channels where the last axis stays."""
    if positions.stride(-1) == 0 and positions.shape[-1] == shape[-1]:
        return positions[..., :1].reshape(*shape[:-1], 1).expand(shape)
    return positions.reshape(shape)
