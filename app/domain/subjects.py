"""What gives the maps of an audit, and what compares the maps of two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from app.domain.measures import AGREEMENT, SANITY, Frozen, ScoreColumn
from app.domain.protocol import Protocol, SalienceSettings
from app.domain.vocabulary import Weights

SEPARATOR = ":"
"""Between a model's id and what is not as under the leading method, in the key of a subject that does not lead."""


class Subject(Frozen):
    """Whatever gives a map for a sample: a model under a CAM method, a target and a layer, or the model's random twin.

    ``model`` is the model's place among those of the audit. Subjects are counted from 0, as the rows of their scores
    are: ``model_ordinal`` in the database is a subject's.
    """

    model: int
    salience: SalienceSettings
    weights: Weights = Weights.TRAINED

    def protocol(self, protocol: Protocol) -> Protocol:
        """The audit's protocol, with this subject's way to a map."""
        return protocol.model_copy(update={"salience": self.salience})

    def key(self, protocol: Protocol, model_id: UUID) -> str:
        """What tells it from the audit's other subjects: of the leading method the model's id, else both."""
        if self.weights is Weights.RANDOM:
            return f"{model_id}{SEPARATOR}{self.weights}"
        leads = self.salience.method == protocol.salience.method
        return str(model_id) if leads else f"{model_id}{SEPARATOR}{self.salience.method}"

    def title(self, protocol: Protocol, name: str) -> str:
        """The model's name; the method where the audit has several; that the weights are random."""
        if self.weights is Weights.RANDOM:
            return f"{name} (random weights)"
        return f"{name} ({self.salience.method})" if len(protocol.salience.all_methods) > 1 else name


def model_of(key: str) -> str:
    """The id of the model that a subject's key is of."""
    return key.partition(SEPARATOR)[0]


def leads(key: str) -> bool:
    """Whether the subject is of the leading method: means over models, gates and axes are made of those alone."""
    return SEPARATOR not in key


def is_trained(key: str) -> bool:
    """Whether the subject has the model's own weights: nothing is found of a random twin, and no report shows it."""
    return not key.endswith(f"{SEPARATOR}{Weights.RANDOM}")


@dataclass(frozen=True)
class Pairing:
    """The clean maps of subjects, by their ordinals, compared two by two within ``groups``; the mean over all pairs is
    one column of scores."""

    column: ScoreColumn
    groups: tuple[tuple[int, ...], ...]

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """In the order in which their scores are stored."""
        return tuple(pair for group in self.groups for pair in combinations(group, 2))

    @property
    def members(self) -> frozenset[int]:
        """The ordinals of all subjects that are compared."""
        return frozenset(number for group in self.groups for number in group)


def subjects_of(protocol: Protocol, models: int) -> tuple[Subject, ...]:
    """Every model under the leading method, then every model under the next one; last the random twins."""
    salience = protocol.salience
    trained = [
        Subject(model=place, salience=salience.under(method))
        for method in salience.all_methods
        for place in range(models)
    ]
    twins = [
        Subject(model=place, salience=salience.under(salience.method), weights=Weights.RANDOM)
        for place in range(models)
        if SANITY.settings_in(protocol.measures)
    ]
    return (*trained, *twins)


def pairings_of(protocol: Protocol, subjects: Sequence[Subject]) -> tuple[Pairing, ...]:
    """Those that the protocol asks for, in stored order.

    Agreement compares a model's maps under its methods, sanity those of a model and of its random twin; every other
    pairing the models under the leading method.
    """
    trained = [place for place, subject in enumerate(subjects) if subject.weights is Weights.TRAINED]
    leading = [place for place, subject in enumerate(subjects) if subject.salience == subjects[0].salience]
    of_models = {AGREEMENT.name: trained, SANITY.name: leading}
    together = tuple(place for place in leading if place in trained)
    return tuple(
        Pairing(
            column,
            _by_model(subjects, of_models[column.measure]) if column.measure in of_models else (together,),
        )
        for column in protocol.pairing_columns()
    )


def _by_model(subjects: Sequence[Subject], places: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    models = dict.fromkeys(subject.model for subject in subjects)
    return tuple(tuple(place for place in places if subjects[place].model == model) for model in models)
