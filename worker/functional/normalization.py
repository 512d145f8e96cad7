"""From 8-bit images to what a network takes: / 255, then mean and standard deviation of each channel."""

from collections.abc import Sequence

import torch
from torch import Tensor

from worker.functional.native import native, share_out


def normalization_table(mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(3, 256) float32: what each level of each channel becomes."""
    levels = torch.arange(256, dtype=torch.float32) / 255
    centre, spread = (torch.tensor(list(part), dtype=torch.float32).view(-1, 1) for part in (mean, std))
    return (levels - centre) / spread


def normalize(images: Tensor, table: Tensor) -> Tensor:
    """``images`` (N, 3, S, S) uint8 through ``table`` (3, 256): float32 of the same shape, channels last in memory."""
    if native is None or images.device.type != "cpu":
        return _by_torch(images, table.to(images.device))
    count, channels, height, width = images.shape
    pixels, levels = images.contiguous(), table.numpy()
    out = torch.empty(count, height, width, channels)

    def look_up(part: slice) -> None:
        native.look_up(pixels[part].numpy(), levels, out[part].numpy(), height * width)

    share_out(look_up, count)
    return out.permute(0, 3, 1, 2)


def _by_torch(images: Tensor, table: Tensor) -> Tensor:
    planes = [row[images[:, channel].int()] for channel, row in enumerate(table)]
    return torch.stack(planes, 1).contiguous(memory_format=torch.channels_last)
