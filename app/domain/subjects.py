"""What gives the maps of an audit, and what compares the maps of two of them."""

from dataclasses import dataclass
from itertools import combinations

from app.domain.measures import Frozen, ScoreColumn
from app.domain.protocol import Protocol, SalienceSettings


class Subject(Frozen):
    """Whatever gives a map for a sample: a model under a CAM method, a target and a layer.

    ``model`` is the model's place among those of the audit. Subjects are counted from 0, as the rows of their scores
    are: ``model_ordinal`` in the database is a subject's, since audits so far have one subject a model.
    """

    model: int
    salience: SalienceSettings

    def protocol(self, protocol: Protocol) -> Protocol:
        """The audit's protocol, with this subject's way to a map."""
        return protocol.model_copy(update={"salience": self.salience})


@dataclass(frozen=True)
class Pairing:
    """The clean maps of ``subjects``, by their ordinals, compared two by two; the mean is one column of scores."""

    column: ScoreColumn
    subjects: tuple[int, ...]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """In the order in which their scores are stored."""
        return tuple(combinations(self.subjects, 2))


def subjects_of(protocol: Protocol, models: int) -> tuple[Subject, ...]:
    """Every model once, under the protocol's method."""
    return tuple(Subject(model=place, salience=protocol.salience) for place in range(models))


def pairings_of(protocol: Protocol, subjects: int) -> tuple[Pairing, ...]:
    """Those that the protocol asks for, in stored order: each over all subjects."""
    return tuple(Pairing(column, tuple(range(subjects))) for column in protocol.pairing_columns())
