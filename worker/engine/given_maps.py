"""Map sets as subjects: their maps are there already, and are read instead of made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from app.domain.audits.subjects import Subject
from app.domain.maps.sizes import MOST_CELLS_OF_AUDIT, fitting_size
from app.domain.models.input_size import InputSize
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, UndefinedReason
from worker.engine.measuring import Outcome
from worker.engine.observing import UNKNOWN_CLASS, Observation
from worker.functional.similarities import resampled
from worker.given.lists import NOTHING, MapList
from worker.given.maps import GivenMaps, Values
from worker.measures import Score, Seen, scores_of
from worker.views import View
from worker.views.maps import SalienceMaps


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
    samples: Sequence[str]
    """The names of the job's."""

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
        found = {view: self.maps.read(number, view) for view in self._conditions}
        nothing = np.zeros_like(next((one for one in found.values() if one is not None), NOTHING))
        observations = {view: self._observation(values, nothing) for view, values in found.items()}
        clean = observations[CLEAN].maps
        changed = {view: one.maps for view, one in observations.items()}
        seen = Seen(clean, changed, self.views, self.samples[number : number + 1])
        scores = {**self._no_scores, **scores_of(self._own_protocol, seen)}
        kept = {view: _kept(one.maps.native) for view, one in observations.items()}
        return Outcome(observations, scores, kept)

    def _observation(self, values: Values | None, nothing: Values) -> Observation:
        reason = UndefinedReason.NO_MAP if values is None else None if values.any() else UndefinedReason.CONSTANT_MAP
        native = torch.from_numpy(nothing if values is None else values)[None]
        unknown = torch.full((1, self.classes), torch.nan, dtype=torch.float64)
        maps = SalienceMaps(native, (reason,), self.input_size)
        return Observation(maps, torch.tensor([UNKNOWN_CLASS]), unknown)

    @cached_property
    def _conditions(self) -> tuple[str, ...]:
        return self.subject.conditions(self.protocol)

    @cached_property
    def _no_scores(self) -> Mapping[tuple[str, str], Score]:
        """In every column, those that no map set has among them."""
        return {(column.measure, column.view): _NOTHING for column in self.protocol.columns()}

    @cached_property
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
