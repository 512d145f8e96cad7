"""What a file of maps holds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.map_files.sample_names import SampleNames

Values = NDArray[np.float32]
Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class FoundMap:
    """``values`` (h, w) of any range, of the image that the file calls ``name``; ``fixations`` (F, 2) are x and y as
    shares of width and height, where it was made of them."""

    name: str
    values: Values
    fixations: NDArray[np.float64] | None = None


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

    def size_of(self, name: str) -> Size | None:
        """None where no sample has that name, or several have, and of one that nobody has looked at."""
        try:
            found = self.samples.find(name, has_folders="/" in name)
        except KeyError:
            return None
        return (found.width, found.height) if found is not None and found.width and found.height else None
