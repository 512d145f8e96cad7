"""Map sets as subjects: their maps are there already, and are read instead of made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from app.domain.input_size import InputSize
from app.domain.map_sizes import FLOAT_BYTES, MOST_CELLS, MOST_CELLS_OF_AUDIT, fitting_size
from app.domain.protocol import Protocol
from app.domain.subjects import Subject
from app.domain.vocabulary import CLEAN, UndefinedReason
from app.errors import InputFailure
from app.imaging.entries import entry_of, read_entry
from worker.engine.measuring import Outcome
from worker.engine.observing import UNKNOWN_CLASS, Observation
from worker.functional.fixation_scores import within
from worker.functional.similarities import WHOLE, resampled
from worker.measures import Score, Seen, scores_of
from worker.measures.comparing import MapList, Points, Values
from worker.salience.maps import SalienceMaps
from worker.views import View
from worker.wire.contents import Inputs
from worker.wire.job_parts import Frame, JobGivenMap, JobMapSet

NOTHING = np.zeros((1, 1), np.float32)


@dataclass(frozen=True)
class GivenMaps:
    """The maps of one map set within a job, by sample and view, as models see the images."""

    inputs: Inputs
    digest: str | None
    maps: Mapping[tuple[int, str], JobGivenMap]
    frames: Sequence[Frame]

    @classmethod
    def of(cls, one: JobMapSet, inputs: Inputs, frames: Sequence[Frame] = ()) -> Self:
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
        try:
            data = read_entry(self.inputs, self.digest, entry_of(place), MOST_CELLS * FLOAT_BYTES)
        except (InputFailure, FileNotFoundError) as error:
            raise InputFailure("artifact-corrupted", f"The maps of the map set {self.digest} have changed.") from error
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


@dataclass(frozen=True)
class GivenAuditor:
    """One map set under one protocol. Its maps may have any size each, so that samples are scored one by one."""

    maps: GivenMaps
    subject: Subject
    protocol: Protocol
    classes: int
    """Whose scores are kept of models; here there are none."""
    input_size: InputSize
    views: Mapping[str, View]
    """That change the images of which it has maps, which come back by them."""

    def outcomes(self, numbers: range) -> list[Outcome]:
        """One a sample of the job, with the scores that maps alone give; those against other map sets come later."""
        return [self._outcome(number) for number in numbers]

    def map_list(self, outcomes: Sequence[Outcome], numbers: range) -> MapList:
        """The clean maps, with the fixations that they were made of."""
        clean = [outcome.clean.maps for outcome in outcomes]
        return MapList(
            [one.native[0].numpy() for one in clean],
            tuple(one.reasons[0] for one in clean),
            [self.maps.fixations(number) for number in numbers],
        )

    def _outcome(self, number: int) -> Outcome:
        found = {view: self.maps.read(number, view) for view in self.subject.conditions(self.protocol)}
        nothing = np.zeros_like(next((one for one in found.values() if one is not None), NOTHING))
        observations = {view: self._observation(values, nothing) for view, values in found.items()}
        clean = observations[CLEAN].maps
        seen = Seen(clean, {view: one.maps for view, one in observations.items()}, self.views)
        scores = dict.fromkeys(self._keys(), _NOTHING) | scores_of(self._own_protocol(), seen)
        kept = {view: _kept(one.maps.native) for view, one in observations.items()}
        return Outcome(observations, scores, kept)

    def _observation(self, values: Values | None, nothing: Values) -> Observation:
        reason = UndefinedReason.NO_MAP if values is None else None if values.any() else UndefinedReason.CONSTANT_MAP
        native = torch.from_numpy(nothing if values is None else values)[None]
        unknown = torch.full((1, self.classes), torch.nan, dtype=torch.float64)
        maps = SalienceMaps(native, (reason,), self.input_size)
        return Observation(maps, torch.tensor([UNKNOWN_CLASS]), unknown)

    def _keys(self) -> list[tuple[str, str]]:
        return [(column.measure, column.view) for column in self.protocol.columns()]

    def _own_protocol(self) -> Protocol:
        """With those measures alone that its maps give."""
        own = {column.measure for column in self.subject.columns(self.protocol) if column.given is None}
        changes = {name: None for name in self.protocol.measures.names if name not in own}
        return self.protocol.model_copy(update={"measures": self.protocol.measures.model_copy(update=changes)})


_NOTHING = Score(torch.zeros(1, dtype=torch.float64), (UndefinedReason.NO_MAP,))


def _kept(native: torch.Tensor) -> torch.Tensor:
    """No larger than an audit stores."""
    _, height, width = native.shape
    size = fitting_size(height, width, most=MOST_CELLS_OF_AUDIT)
    return native if size == (height, width) else torch.from_numpy(resampled(native.numpy(), size))
