"""The maps of one map set, as models see the images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.domain.maps.sizes import FLOAT_BYTES, MOST_CELLS
from app.domain.vocabulary import CLEAN
from app.errors import InputFailure
from app.imaging.entries import Ranges, entry_of, read_entry
from worker.functional.fixation_scores import within
from worker.functional.similarities import WHOLE, resampled
from worker.wire.job_parts import Frame, JobGivenMap, JobMapSet

Values = NDArray[np.float32]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class GivenMaps:
    """The maps of one map set within a job, by sample and view, as models see the images."""

    inputs: Ranges
    digest: str | None
    maps: Mapping[tuple[int, str], JobGivenMap]
    frames: Sequence[Frame]

    @classmethod
    def of(cls, one: JobMapSet, inputs: Ranges, frames: Sequence[Frame] = ()) -> Self:
        """``frames`` of the job's samples. What is made of handed out images is of what models see as it is."""
        seen = frames if one.input_size is None else ()
        return cls(inputs, one.digest, {(found.number, found.view): found for found in one.maps}, seen)

    def read(self, number: int, view: str) -> Values | None:
        """(h, w) float32 in [0, 1], zero all over where it is constant; None where there is no map.

        Raises InputFailure ``artifact-corrupted``.
        """
        place = self.maps.get((number, view))
        if place is None or self.digest is None:
            return None
        data = stored_cells(self.inputs, self.digest, place)
        values = np.frombuffer(data, "<f4").reshape(place.height, place.width).astype(np.float32)
        return _framed(values, self._frame(number))

    def fixations(self, number: int) -> Points | None:
        """(F, 2) within what models see; None of a map that was not made of any."""
        place = self.maps.get((number, CLEAN))
        if place is None or place.fixations is None:
            return None
        return within(np.array(place.fixations).reshape(-1, 2), self._frame(number))

    def _frame(self, number: int) -> Frame:
        return self.frames[number] if self.frames else WHOLE


def stored_cells(inputs: Ranges, digest: str, place: JobGivenMap) -> bytes:
    """Of one map, float32, row by row. Raises InputFailure ``artifact-corrupted``."""
    try:
        return read_entry(inputs, digest, entry_of(place), MOST_CELLS * FLOAT_BYTES)
    except (InputFailure, FileNotFoundError) as error:
        raise InputFailure("artifact-corrupted", f"The maps of the map set {digest} have changed.") from error


def _framed(values: Values, frame: Frame) -> Values:
    """The part that models see, stretched to [0, 1] anew."""
    if frame == WHOLE:
        return values
    left, top, right, bottom = frame
    size = max(1, round(values.shape[0] * (bottom - top))), max(1, round(values.shape[1] * (right - left)))
    part = resampled(values[None], size, frame)[0]
    low, high = part.min(), part.max()
    stretched: Values = (part - low) / (high - low) if high > low else np.zeros_like(part)
    return stretched
