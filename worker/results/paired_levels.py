"""The maps of subjects that pairings compare, at the sizes at which they meet, for the controls of the pairings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.domain.audits.rescoring import SIMILAR_PAIRS
from app.domain.audits.subjects import Pairing
from app.domain.models.input_size import InputSize
from app.domain.models.preprocessing import Preprocessing
from app.results.inputs import AuditInputs
from worker.functional.similarities import resampled, smallest
from worker.results.pair_controls import pair_controls
from worker.results.stored_maps import FloatMaps, size_of_maps

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Size = tuple[int, int]
Run = tuple[int, Size]
"""A subject's maps at one size."""


@dataclass(frozen=True)
class PairedLevels:
    """8-bit maps of ``pairings``' subjects, taken in one by one; ``sizes`` are those of the subjects that have maps."""

    inputs: AuditInputs
    pairings: Sequence[Pairing]
    sizes: dict[int, Size]
    _levels: dict[Run, Bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, inputs: AuditInputs) -> "PairedLevels":
        """Of pairings whose score tells how alike two maps are, which maps of other samples may be as well."""
        pairings = [one for one in inputs.pairings if one.column.measure in SIMILAR_PAIRS]
        members = frozenset[int]().union(*(pairing.members for pairing in pairings))
        found = {one: size_of_maps(session, inputs.audit.id, one) for one in members}
        return cls(inputs, pairings, {one: size for one, size in found.items() if size is not None})

    def __contains__(self, subject: int) -> bool:
        return any(subject in pairing.members for pairing in self.pairings)

    def take(self, subject: int, maps: FloatMaps) -> None:
        """A subject's clean maps (N, h, w), at every size at which they are compared with those of others."""
        pairs = (pair for pairing in self.pairings for pair in pairing.pairs if subject in pair)
        for size in {self._smaller(pair) for pair in pairs if self.sizes.keys() >= {*pair}}:
            self._levels[subject, size] = (resampled(maps, size) * np.float32(255)).astype(np.uint8)

    def controls(self, labels: Integers) -> Iterator[tuple[str, Floats]]:
        """By measure (N,), where all of a pairing's subjects have maps."""
        there = {subject for subject, _ in self._levels}
        for pairing in self.pairings:
            if pairing.members <= there:
                yield pairing.column.measure, self._control(pairing, labels)

    def _control(self, pairing: Pairing, labels: Integers) -> Floats:
        """A sample counts where every group has a control for it, as the score does."""
        controls = []
        for group in pairing.groups:
            pairs = [self._at_one_size(pair) for pair in combinations(group, 2)]
            own = {run: self._levels[run] for pair in pairs for run in pair}
            size, seed = self._input_size(group[0]), self.inputs.protocol.seed
            controls.append(pair_controls(own, pairs, labels, size, seed))
        return np.asarray(np.mean(controls, axis=0))

    def _at_one_size(self, pair: tuple[int, int]) -> tuple[Run, Run]:
        size = self._smaller(pair)
        return (pair[0], size), (pair[1], size)

    def _smaller(self, pair: tuple[int, int]) -> Size:
        """As their score is made."""
        return smallest(self.sizes[place] for place in pair)

    def _input_size(self, subject: int) -> InputSize:
        return Preprocessing.of(self.inputs.of_models[subject].model.preprocessing).input_size
