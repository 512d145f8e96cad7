"""Deformations by name, at a severity (`app.domain.views.deformations`)."""

from dataclasses import dataclass

from torch import Tensor

from app.domain.views.deformations import DEFORMATIONS, Kind
from app.domain.views.families import with_parameter
from app.imaging.pixel_order import order_generator
from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class DeformedView(InPlace):
    """Images (N, 3, S, S) uint8 deformed at a ``severity`` from 1 to 5; maps stay where they are.

    One stream per (seed, sample, deformation, severity), so that all models see the same images.
    """

    kind: Kind
    severity: int
    seed: int

    @property
    def name(self) -> str:
        return with_parameter(self.kind, self.severity)

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared((self.name, self.seed), lambda: self._deformed(batch))

    def _deformed(self, batch: ImageBatch) -> Tensor:
        # scikit-image's filters take half a second to import, and most audits ask for none.
        from worker.functional.corruptions import corrupted  # noqa: PLC0415

        streams = [order_generator(self.seed, sample, self.name) for sample in batch.samples]
        return corrupted(self.kind, batch.images, DEFORMATIONS[self.kind].by_severity[self.severity - 1], streams)


def deformed_view(name: str, setting: ViewSetting) -> DeformedView:
    """The severity stands behind the @. Raises KeyError where there is no such deformation."""
    word, _, severity = name.partition("@")
    kind = {str(one): one for one in DEFORMATIONS}[word]
    return DeformedView(kind=kind, severity=int(severity), seed=setting.protocol.seed)
