"""From 8-bit images to what a network takes: channels, range, then mean and standard deviation of each channel."""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from worker.functional.native import native, share_out

_GREY = (19_595, 38_470, 7_471)
"""Pillow's weights of red, green and blue (ITU-R 601-2), of 16 bits."""


def normalization_table(mean: Sequence[float], std: Sequence[float], scale: float = 255, least: float = 0) -> Tensor:
    """(C, 256) float32: what each level / ``scale`` + ``least`` of each channel becomes."""
    levels = torch.arange(256, dtype=torch.float32) / scale + least
    centre, spread = (torch.tensor(list(part), dtype=torch.float32).view(-1, 1) for part in (mean, std))
    return (levels - centre) / spread


def normalize(images: Tensor, table: Tensor) -> Tensor:
    """``images`` (N, C, S, S) uint8 through ``table`` (C, 256): float32 of the same shape, channels last in memory.

    The table is on the images' device.
    """
    if native is None or images.device.type != "cpu" or images.shape[1] != 3:
        return _by_torch(images, table)
    count, channels, height, width = images.shape
    pixels, levels = images.contiguous(), table.numpy()
    out = torch.empty(count, height, width, channels)

    def look_up(part: slice) -> None:
        native.look_up(pixels[part].numpy(), levels, out[part].numpy(), height * width)

    share_out(look_up, count)
    return out.permute(0, 3, 1, 2)


def to_grey(images: Tensor) -> Tensor:
    """(N, 3, S, S) uint8 RGB to (N, 1, S, S), equal to ``Image.convert("L")``."""
    weighted = (images.int() * _grey(images.device)).sum(1, keepdim=True)
    return (weighted + (1 << 15)).bitwise_right_shift(16).to(torch.uint8)


@lru_cache(maxsize=4)
def _grey(device: torch.device) -> Tensor:
    return torch.tensor(_GREY).view(1, 3, 1, 1).to(device)


def _by_torch(images: Tensor, table: Tensor) -> Tensor:
    """Every level of every channel has its place in the flat table: three launches on a device."""
    count, channels, height, width = images.shape
    places = images.permute(0, 2, 3, 1) + _first_places(channels, images.device)
    found = table.view(-1).index_select(0, places.reshape(-1))
    return found.view(count, height, width, channels).permute(0, 3, 1, 2)


@lru_cache(maxsize=8)
def _first_places(channels: int, device: torch.device) -> Tensor:
    return (torch.arange(channels, dtype=torch.int32) * 256).to(device)
