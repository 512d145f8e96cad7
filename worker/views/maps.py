"""Salience maps of a batch in the forms that measures compare."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from torch import Tensor

from app.domain.models.input_size import InputSize
from app.domain.vocabulary import Reasons
from worker.functional.quantization import to_8bit
from worker.functional.resampling import resize_bicubic_8bit
from worker.functional.ssim_constants import WINDOW

Result = TypeVar("Result")


@dataclass(frozen=True)
class SalienceMaps:
    """Maps of N images.

    ``native`` (N, h, w) float32 in [0, 1], min-max normalised; zero where ``reasons`` says why there is none.
    ``input_size`` is that of the images in pixels.
    """

    native: Tensor
    reasons: Reasons
    input_size: InputSize
    _shared: dict[object, Any] = field(default_factory=dict, repr=False)

    def shared(self, key: object, compute: Callable[[], Result]) -> Result:
        """Compute once what several views derive from these maps."""
        if key not in self._shared:
            self._shared[key] = compute()
        result: Result = self._shared[key]
        return result

    @cached_property
    def native_8bit(self) -> Tensor:
        """(N, h, w) uint8, truncated."""
        return to_8bit(self.native)

    @cached_property
    def at_input(self) -> Tensor:
        """(N, H, W) uint8: the 8-bit map through Pillow's bicubic resize."""
        return resize_bicubic_8bit(self.native_8bit, self.input_size)

    @property
    def compared_at_input(self) -> bool:
        """Whether the native map is too small for an SSIM window, so that measures compare at input resolution."""
        return min(self.native.shape[-2:]) < WINDOW

    @property
    def comparable(self) -> Tensor:
        """8-bit maps that fill at least one SSIM window."""
        return self.at_input if self.compared_at_input else self.native_8bit
