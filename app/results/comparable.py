"""Which comparisons of an audit can be made again from the native maps that it stored, subject by subject."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.audits.rescoring import comparable_pairings, comparable_views
from app.domain.audits.subjects import pairings_of
from app.domain.maps.cam_methods import CAM_METHODS
from app.domain.measures import ScoreColumn
from app.domain.protocol import Protocol
from app.results.inputs import AuditedSubject, GivenSubject

AnySubject = AuditedSubject | GivenSubject
Pairs = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Comparable:
    """Of an audit's subjects, by their ordinals. ``left_out`` are the keys of those whose maps are as large as the
    image: their native maps are no coarser, and are not compared."""

    views: Mapping[int, tuple[ScoreColumn, ...]]
    pairings: Mapping[ScoreColumn, Pairs]
    left_out: tuple[str, ...]

    @property
    def subjects(self) -> tuple[int, ...]:
        """All whose maps are looked at."""
        paired = {one for pairs in self.pairings.values() for pair in pairs for one in pair}
        return tuple(sorted({*self.views, *paired}))


def comparable(protocol: Protocol, subjects: Sequence[AnySubject]) -> Comparable:
    """A map set has the views of which it has maps, and is in pairings where no model is."""
    native = [place for place, one in enumerate(subjects) if _is_native(one)]
    views = {place: _views(protocol, subjects[place]) for place in native if subjects[place].subject.beside is None}
    known, possible = comparable_pairings(protocol), {*native}
    pairs = {
        pairing.column: tuple(pair for pair in pairing.pairs if possible.issuperset(pair))
        for pairing in pairings_of(protocol, [one.subject for one in subjects])
        if pairing.column in known
    }
    return Comparable(
        {place: own for place, own in views.items() if own},
        {column: own for column, own in pairs.items() if own},
        tuple(one.key for place, one in enumerate(subjects) if place not in possible),
    )


def _views(protocol: Protocol, one: AnySubject) -> tuple[ScoreColumn, ...]:
    """Those of its own."""
    own = one.subject.columns(protocol)
    return tuple(column for column in comparable_views(protocol) if column in own)


def _is_native(one: AnySubject) -> bool:
    """Maps of a map set are what they are."""
    return isinstance(one, GivenSubject) or not CAM_METHODS[one.subject.salience.method].at_input_resolution
