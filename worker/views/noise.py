"""Salt and pepper noise (Crum et al. 2023, S_N)."""

from dataclasses import dataclass

from torch import Tensor

from app.domain.views.families import noise_view as noise_view_name
from worker.functional.noise import noise_generator, salt_and_pepper
from worker.views.base import ImageBatch, InPlace, ViewSetting
from worker.views.maps import SalienceMaps


@dataclass(frozen=True)
class NoiseView(InPlace):
    """Changes about a share ``amount`` in (0, 1] of the channel values to black or white; the map needs no way back.

    (N, 3, S, S) uint8 to the same, as ``skimage.util.random_noise(mode="s&p")`` does, half each. One stream per
    (seed, sample, amount), so that all models see the same noise. Crum et al. 2023, S_N.
    """

    amount: float
    seed: int

    @property
    def name(self) -> str:
        return noise_view_name(self.amount)

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        del clean
        return self.of_images(batch)

    def of_images(self, batch: ImageBatch) -> Tensor:
        return batch.shared((self.name, self.seed), lambda: self._noisy(batch))

    def _noisy(self, batch: ImageBatch) -> Tensor:
        generators = [noise_generator(self.seed, sample, self.amount) for sample in batch.samples]
        return salt_and_pepper(batch.images, self.amount, generators)


def noise_view(name: str, setting: ViewSetting) -> NoiseView:
    """The amount stands behind the @."""
    return NoiseView(amount=float(name.split("@")[1]), seed=setting.protocol.seed)
