"""What the axes of a layer's output are, and every layout seen as one: feature maps (N, C, H, W)."""

from dataclasses import dataclass

import torch
from torch import Tensor

from app.domain.vocabulary import Layout
from worker.salience.places import is_constant, unpacked


@dataclass(frozen=True)
class Arrangement:
    """How cells lie in a tensor: NCHW (N, C, H, W), NHWC (N, H, W, C), or tokens (N, prefix + H * W, C) in rows."""

    layout: Layout
    height: int
    width: int
    prefix_tokens: int = 0

    def to_nchw(self, tensor: Tensor) -> Tensor:
        """The feature map (N, C, H, W) in a layer's output, without prefix tokens."""
        if self.layout is Layout.NCHW:
            return tensor
        if self.layout is Layout.NHWC:
            return tensor.permute(0, 3, 1, 2)
        cells = tensor[:, self.prefix_tokens :].mT
        return cells.reshape(*cells.shape[:2], self.height, self.width)

    def from_nchw(self, maps: Tensor, tensor: Tensor) -> Tensor:
        """The layer's output ``tensor`` with ``maps`` (N, C, H, W) for its cells; prefix tokens stay as they are.

        Of one image there may be many maps, each of which gets that image's.
        """
        if self.layout is Layout.NCHW:
            return maps
        if self.layout is Layout.NHWC:
            return maps.permute(0, 2, 3, 1)
        cells = maps.flatten(2).mT
        if not self.prefix_tokens:
            return cells
        prefix = tensor[:, : self.prefix_tokens].expand(len(cells), -1, -1)
        return torch.cat([prefix, cells], 1)


def arrangement_of(positions: Tensor | None, images: int) -> Arrangement | None:
    """Read off the positions of a tensor of that many images; None where they are no grid in rows, or one cell."""
    if positions is None or len(positions) != images or positions.dim() not in {3, 4}:
        return None
    if positions.dim() == 3:
        return _tokens(positions[..., 0]) if is_constant(positions, 2) else None
    for axis, layout in ((1, Layout.NCHW), (3, Layout.NHWC)):
        cells = positions.select(axis, 0)
        if is_constant(positions, axis) and _is_grid(cells):
            return Arrangement(layout, *cells.shape[1:])
    return None


def _tokens(cells: Tensor) -> Arrangement | None:
    """Positions (N, T): first those that are nowhere, then rows of one length."""
    prefix = int((cells[0] < 0).cumprod(0).sum())
    rest = cells[:, prefix:]
    if rest.shape[1] < 2 or bool((cells[:, :prefix] >= 0).any()):
        return None
    _, down, _ = unpacked(rest[0])
    width = int((down == down[0]).cumprod(0).sum())
    height, left = divmod(rest.shape[1], width)
    if left or not _is_grid(rest.reshape(len(rest), height, width)):
        return None
    return Arrangement(Layout.TOKENS, height, width, prefix)


def _is_grid(cells: Tensor) -> bool:
    """Whether positions (N, H, W) are of more than one cell, row by row, of images in their order."""
    images, height, width = cells.shape
    if height * width < 2 or bool((cells < 0).any()):
        return False
    image, down, right = unpacked(cells)
    in_order = bool((image == torch.arange(images, device=cells.device).view(-1, 1, 1)).all())
    aligned = bool((down == down[:1, :, :1]).all() and (right == right[:1, :1, :]).all())
    rising = bool((down[0, :, 0].diff() > 0).all() and (right[0, 0].diff() > 0).all())
    return in_order and aligned and rising
