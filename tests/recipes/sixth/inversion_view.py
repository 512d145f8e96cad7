"""The negative of an image. A file of ``worker/views``."""

from dataclasses import dataclass

from torch import Tensor

from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class InvertedView(InPlace):
    """Its maps lie where the clean ones do."""

    name: str

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return 255 - batch.images


def inverted_view(name: str, setting: ViewSetting) -> InvertedView:
    del setting
    return InvertedView(name)
