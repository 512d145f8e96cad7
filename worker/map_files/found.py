"""What a file of maps holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.refusals.maps import TOO_MANY_IMAGES
from app.domain.vocabulary import MapDoubt
from worker.map_files.sample_names import Below, Named, SampleNames

Values = NDArray[np.float32]
Size = tuple[int, int]
"""Width and height in pixels."""

MOST_IMAGES = 100_000
"""That one file may speak of: all are in memory, and of 640 x 480 pixels they take nine minutes of processor time."""


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
class Setting:
    """What a file alone does not say: how large the images are that it names, and the Gaussian that a fixation becomes,
    its deviation in pixels of the image."""

    samples: SampleNames
    sigma: float | None = None
    folder: str | None = ""
    """The upload's own, below which samples are named; None where names are of other images than the samples' own."""

    def size_of(self, name: str) -> Size | None:
        """None where no sample has that name, or several have, and of one that nobody has looked at."""
        try:
            found = self._find(name)
        except KeyError:
            return None
        return (found.width, found.height) if found is not None and found.width and found.height else None

    def is_of_no_sample(self, name: str) -> bool:
        """Whether to draw a map of that name would be in vain; one that fits several is told by whoever finds them."""
        try:
            return self.folder is not None and self._find(name) is None
        except KeyError:
            return False

    def _find(self, name: str) -> Named | None:
        return Below(self.samples, self.folder or "").find(name)


def check_length(images: int) -> None:
    """Raises InputFailure ``map-file-too-long``."""
    if images > MOST_IMAGES:
        raise TOO_MANY_IMAGES.failure(count=images, most=MOST_IMAGES)
