"""What a view is, and the batch of images that it changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from torch import Tensor

from app.domain.models.input_size import InputSize
from app.domain.protocol import Protocol as AuditProtocol
from worker.views.maps import SalienceMaps

Result = TypeVar("Result")


@dataclass(frozen=True)
class ImageBatch:
    """The 8-bit model inputs of N samples: every view acts on them.

    ``images`` (N, 3, H, W) uint8 RGB, ``samples`` the N names that seed what is random about a sample.
    """

    images: Tensor
    samples: tuple[str, ...]
    _shared: dict[object, Any] = field(default_factory=dict, repr=False)

    def shared(self, key: object, compute: Callable[[], Result]) -> Result:
        """Compute once what depends on the images alone, for all models and views of this batch."""
        if key not in self._shared:
            self._shared[key] = compute()
        result: Result = self._shared[key]
        return result


class CarriedBack(NamedTuple):
    """Maps of changed images (N, H, W) in the clean image's frame.

    ``seen`` (N, H, W) bool, or (1, H, W) of all, are the pixels that the changed image showed; None: all, or those that
    the view's ``compared`` leaves.
    """

    maps: Tensor
    seen: Tensor | None = None


class View(Protocol):
    """A change of the images and the way back for maps."""

    @property
    def name(self) -> str:
        """Its name in the API: ``noise@0.05``, ``shift_left``, ..."""

    def transform(self, batch: ImageBatch, clean: SalienceMaps) -> Tensor:
        """The changed images (N, 3, H, W) uint8; ``clean`` are the maps of the batch before the change."""

    def carry_back(self, maps: Tensor, samples: Sequence[str]) -> CarriedBack:
        """Maps of changed images (N, H, W), of the N samples with these names, brought into the clean image's frame."""

    def compared(self, maps: Tensor) -> Tensor:
        """The part of maps (N, H, W) in the clean image's frame that a comparison sees."""


class InPlace:
    """Of views that leave everything where it is."""

    def carry_back(self, maps: Tensor, samples: Sequence[str]) -> CarriedBack:
        del samples
        return CarriedBack(maps)

    def compared(self, maps: Tensor) -> Tensor:
        return maps


@runtime_checkable
class ImageView(View, Protocol):
    """A view that needs the images alone, so that it can be made before anything is known of their maps."""

    def of_images(self, batch: ImageBatch) -> Tensor:
        """What ``transform`` gives, whatever the maps: made once for all models of a batch."""


@dataclass(frozen=True)
class ViewSetting:
    """For whom a view is made: the audit's protocol, and the size of the model's input in pixels.

    ``stride`` is how many pixels (down, right) the content moves for one cell of the map; ``colour`` is the 8-bit RGB
    that the model's preprocessing takes away.
    """

    protocol: AuditProtocol
    input_size: InputSize
    stride: tuple[int, int]
    colour: tuple[int, int, int]


MakeView = Callable[[str, ViewSetting], View]
"""From a view's name."""
