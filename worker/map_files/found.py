"""What a file of maps holds."""

from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from app.domain.maps.sizes import fitting_size
from app.domain.refusals.maps import TOO_MANY_IMAGES
from app.domain.vocabulary import MapDoubt
from worker.map_files.sample_names import Below, Named, SampleNames

Values = NDArray[np.float32]
Size = tuple[int, int]
"""Width and height in pixels."""

MOST_IMAGES = 100_000
"""That one file may speak of: all are in memory."""


@dataclass(frozen=True)
class FoundMap:
    """``values`` (h, w) of any range, of the image that the file calls ``name``; ``fixations`` (F, 2) are x and y as
    shares of width and height, where it was made of them; ``doubt`` is a picture's (`app.imaging.greys`)."""

    name: str
    values: Values
    fixations: NDArray[np.float64] | None = None
    doubt: MapDoubt | None = None


@dataclass(frozen=True)
class NoMap:
    """Of the image that the file calls ``name``, and why there is none."""

    name: str
    code: str
    detail: str


@dataclass(frozen=True)
class InVain:
    """Of the image that the file calls ``name``: nothing is drawn of what would not be taken. ``size`` as far as it is
    known."""

    name: str
    size: Size | None


Found = FoundMap | NoMap | InVain


@dataclass(frozen=True)
class Setting:
    """What a file alone does not say: how large the images are that it names, and the Gaussian that a fixation becomes,
    its deviation in pixels of the image."""

    samples: SampleNames
    sigma: float | None = None
    folder: str | None = ""
    """The upload's own, below which samples are named; None where names are of other images than the samples' own."""
    mapped: set[Hashable] = field(default_factory=set)
    """The images of which a map was found already: samples by name, other images by name and the size of the map."""

    def size_of(self, name: str) -> Size | None:
        """None where no sample has that name, or several have, and of one that nobody has looked at."""
        try:
            found = self._find(name)
        except KeyError:
            return None
        return (found.width, found.height) if found is not None and found.width and found.height else None

    def is_in_vain(self, name: str, size: Size | None) -> bool:
        """Whether a map of that name would not be taken: no sample has it, or several have, or there is one already."""
        try:
            return self._image(name, size) in self.mapped
        except KeyError:
            return True

    def note(self, found: FoundMap) -> None:
        """That there is a map of its image from now on."""
        height, width = found.values.shape
        with suppress(KeyError):
            self.mapped.add(self._image(found.name, (width, height)))

    def _image(self, name: str, size: Size | None) -> Hashable:
        """Raises KeyError where no sample has that name, or several have."""
        if self.folder is None:
            return name, size and fitting_size(size[1], size[0])
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found.name

    def _find(self, name: str) -> Named | None:
        return Below(self.samples, self.folder or "").find(name)


def check_length(images: int) -> None:
    """Raises InputFailure ``map-file-too-long``."""
    if images > MOST_IMAGES:
        raise TOO_MANY_IMAGES.failure(count=images, most=MOST_IMAGES)
