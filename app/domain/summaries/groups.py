"""Which samples are summarised together."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from app.domain.samples.several_labels import parts_of
from app.domain.statistics.aggregates import (
    Integers,
)
from app.domain.vocabulary import GroupBy


class SampleGroup(NamedTuple):
    """Samples that are summarised together: ``group`` among those of ``group_by``, and the rows of its members."""

    group_by: str
    group: str
    members: Integers


@dataclass(frozen=True)
class Groups:
    """Label and source of every sample, and of ``further`` columns, by name; a sample may lack any.

    ``clusters`` (N,) are codes of what is resampled together, None where every sample stands for itself.
    ``several``: a sample may have several labels, and belongs to the groups of all of them.
    """

    labels: tuple[str | None, ...]
    sources: tuple[str | None, ...]
    further: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    clusters: Integers | None = None
    several: bool = False

    def named(self) -> Iterator[SampleGroup]:
        """Every label, every source, then the values of each further column."""
        columns = {GroupBy.LABEL: self.labels, GroupBy.SOURCE: self.sources, **self.further}
        if self.several:
            columns.pop(GroupBy.LABEL)
            yield from self._by_single_label()
        for kind, names in columns.items():
            for name in sorted({name for name in names if name is not None}):
                yield SampleGroup(kind, name, np.flatnonzero([other == name for other in names]))

    def clusters_of(self, rows: Integers) -> Integers | None:
        """Codes of what is resampled together among some rows."""
        return None if self.clusters is None else self.clusters[rows]

    def _by_single_label(self) -> Iterator[SampleGroup]:
        sets = [frozenset(parts_of(label)) for label in self.labels]
        for name in sorted(frozenset().union(*sets)):
            yield SampleGroup(GroupBy.LABEL, name, np.flatnonzero([name in own for own in sets]))

    def source_codes(self) -> Integers:
        """An index >= 0 per source; samples without a source form one of their own."""
        codes = {name: code for code, name in enumerate(dict.fromkeys(self.sources))}
        return np.array([codes[name] for name in self.sources], dtype=np.int64)
