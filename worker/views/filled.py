"""Images of which a share of the pixels is kept or removed, and what stands in their place."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.functional import rgb_to_grayscale

from app.domain.measures import SUFFICIENCY
from app.domain.measures.sufficiency import SufficiencySettings
from app.domain.views.families import DETAIL_SHARE, FILL, WITHOUT, WITHOUT_DETAIL
from app.imaging.pixel_order import Ranks, cell_ranks, order_generator, pixel_ranks, within_share
from worker.functional.fills import blurred, coloured, inpainted
from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps

BLUR_SIGMA = 10.0


@dataclass(frozen=True)
class FilledView(InPlace):
    """The first ``share`` of the pixels kept, or removed, in the order of the clean map or of cells at random.

    Of (N, 3, S, S) uint8 images, round(share S^2) pixels, the most salient first; equal values are drawn by lot, in one
    stream a sample, so that what a smaller share keeps a larger one keeps too. The fill stands where pixels are gone.
    Petsiuk et al. 2018, section 4.3.
    """

    name: str
    share: float
    removes: bool
    at_random: bool
    setting: ViewSetting

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        ranks = clean.shared(("ranks", self.at_random), partial(_ranks, batch, clean, self))
        first = torch.from_numpy(within_share(ranks, self.share)).to(batch.images.device).unsqueeze(1)
        return _filled(batch, ~first if self.removes else first, self.setting)


@dataclass(frozen=True)
class RestView(InPlace):
    """The fill alone; or the image whose cells change places, whose colours are gone, or whose fine detail is:
    (N, 3, S, S) uint8. Detail goes under a Gaussian of a 224th of the shorter side.

    Grey is 0.2989 R + 0.587 G + 0.114 B (ITU-R BT.601), truncated, in all three channels.
    """

    name: str
    setting: ViewSetting

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        if self.name == FILL:
            nothing = torch.zeros_like(batch.images[:, :1], dtype=torch.bool)
            return _filled(batch, nothing, self.setting)
        if self.name == WITHOUT[0]:
            cells = (int(clean.native.shape[-2]), int(clean.native.shape[-1]))
            seed = self.setting.protocol.seed
            return batch.shared((self.name, cells, seed), partial(_rearranged, batch, cells, seed))
        if self.name == WITHOUT_DETAIL:
            sigma = min(batch.images.shape[-2:]) * DETAIL_SHARE
            return batch.shared((self.name, sigma), lambda: blurred(batch.images, sigma))
        grey: Tensor = batch.shared(self.name, lambda: rgb_to_grayscale(batch.images, num_output_channels=3))
        return grey


def filled_view(name: str, setting: ViewSetting) -> FilledView:
    """``kept_random@0.02``."""
    order, _, share = name.partition("@")
    return FilledView(name, float(share), order.startswith("removed"), order.endswith("random"), setting)


def rest_view(name: str, setting: ViewSetting) -> RestView:
    """``fill``, ``without_arrangement``, ``without_colour`` or ``without_detail``."""
    return RestView(name, setting)


def _filled(batch: ImageBatch, known: Tensor, setting: ViewSetting) -> Tensor:
    """(N, 3, H, W) uint8: the image where ``known`` (N, 1, H, W) bool is true, the measure's fill elsewhere."""
    fill = (SUFFICIENCY.settings_in(setting.protocol.measures) or SufficiencySettings()).fill
    if fill == "inpaint":
        return inpainted(batch.images, known, setting.colour)
    if fill == "blur":
        other = batch.shared(("blur", BLUR_SIGMA), lambda: blurred(batch.images, BLUR_SIGMA))
    else:
        other = coloured(batch.images, setting.colour)
    return torch.where(known, batch.images, other)


def _ranks(batch: ImageBatch, clean: SalienceMaps, view: FilledView) -> Ranks:
    """(N, H, W) int32, 0 for the first pixel; one stream a sample, the same for all shares and in any batch."""
    seed = view.setting.protocol.seed
    size = (int(batch.images.shape[-2]), int(batch.images.shape[-1]))
    if view.at_random:
        cells = (int(clean.native.shape[-2]), int(clean.native.shape[-1]))
        return np.stack([cell_ranks(cells, size, order_generator(seed, name, "random")) for name in batch.samples])
    levels: NDArray[np.uint8] = clean.at_input.cpu().numpy()
    return np.stack([
        pixel_ranks(one, order_generator(seed, name, "salience"))
        for one, name in zip(levels, batch.samples, strict=True)
    ])  # fmt: skip


def _rearranged(batch: ImageBatch, cells: tuple[int, int], seed: int) -> Tensor:
    """The image cut into the map's cells (h, w), which change places at random; what is left at the edge stays.

    (N, 3, H, W) uint8; cells have H // h by W // w pixels.
    """
    height, width = (int(side) // count for side, count in zip(batch.images.shape[-2:], cells, strict=True))
    out = batch.images.clone()
    for number, name in enumerate(batch.samples):
        order = order_generator(seed, name, "arrangement").permutation(cells[0] * cells[1])
        inner = batch.images[number, :, : cells[0] * height, : cells[1] * width]
        tiles = inner.reshape(3, cells[0], height, cells[1], width).permute(1, 3, 0, 2, 4).flatten(0, 1)
        moved = tiles[torch.from_numpy(order).to(tiles.device)].view(*cells, 3, height, width)
        whole = moved.permute(2, 0, 3, 1, 4).reshape_as(inner)
        out[number, :, : cells[0] * height, : cells[1] * width] = whole
    return out
