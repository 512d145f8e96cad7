"""What gives the maps of an audit, and what compares the maps of two of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from app.domain.measures import AGREEMENT, CLASS_SEPARATION, SANITY, Frozen, ScoreColumn
from app.domain.protocol import Protocol, SalienceSettings
from app.domain.vocabulary import Explained, Weights

SEPARATOR = ":"
"""Between a model's id and what is not as under the leading method, in the key of a subject that does not lead."""


_BESIDE: dict[str, str] = {Weights.RANDOM: "random weights", Explained.OTHER_CLASS: "other class"}
"""What stands beside a model to be compared with it, in words."""


class Subject(Frozen):
    """Whatever gives a map for a sample: a model under a CAM method, a target and a layer, the model's random twin, or
    the model asked for another class than the target's.

    ``model`` is the model's place among those of the audit. Subjects are counted from 0, as the rows of their scores
    are: ``model_ordinal`` in the database is a subject's.
    """

    model: int
    salience: SalienceSettings
    weights: Weights = Weights.TRAINED
    explained: Explained = Explained.TARGET

    @property
    def beside(self) -> str | None:
        """What it is beside the model that the audit is about; None where it is that model."""
        return next((str(word) for word in (self.weights, self.explained) if word in _BESIDE), None)

    @property
    def has_views(self) -> bool:
        """Whether changed images are looked at as well: of another class's maps there is the clean one alone."""
        return self.explained is Explained.TARGET

    def protocol(self, protocol: Protocol) -> Protocol:
        """The audit's protocol, with this subject's way to a map, and with what is measured of it alone."""
        own = protocol if self.has_views else protocol.of_clean_maps()
        return own.model_copy(update={"salience": self.salience})

    def key(self, protocol: Protocol, model_id: UUID) -> str:
        """What tells it from the audit's other subjects: of the leading method the model's id, else both."""
        if self.beside is not None:
            return f"{model_id}{SEPARATOR}{self.beside}"
        leads = self.salience.method == protocol.salience.method
        return str(model_id) if leads else f"{model_id}{SEPARATOR}{self.salience.method}"

    def title(self, protocol: Protocol, name: str) -> str:
        """The model's name; the method where the audit has several; what it is beside the model."""
        if self.beside is not None:
            return f"{name} ({_BESIDE[self.beside]})"
        return f"{name} ({self.salience.method})" if len(protocol.salience.all_methods) > 1 else name


def model_of(key: str) -> str:
    """The id of the model that a subject's key is of."""
    return key.partition(SEPARATOR)[0]


def leads(key: str) -> bool:
    """Whether the subject is of the leading method: means over models, gates and axes are made of those alone."""
    return SEPARATOR not in key


def is_model(key: str) -> bool:
    """Whether the subject is what the audit is about, and not beside it: nothing is found of a random twin, nor of
    another class's maps, and no table of a report has them among the models."""
    return key.partition(SEPARATOR)[2] not in _BESIDE


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
    """Every model under the leading method, then every model under the next one; then the random twins; last every
    model asked for another class.
    """
    salience, places = protocol.salience, range(models)
    leading = salience.under(salience.method)
    of_models = [
        Subject(model=place, salience=salience.under(method)) for method in salience.all_methods for place in places
    ]
    twins = [Subject(model=place, salience=leading, weights=Weights.RANDOM) for place in places]
    others = [Subject(model=place, salience=leading, explained=Explained.OTHER_CLASS) for place in places]
    return (
        *of_models,
        *(twins if SANITY.settings_in(protocol.measures) else ()),
        *(others if CLASS_SEPARATION.settings_in(protocol.measures) else ()),
    )


def pairings_of(protocol: Protocol, subjects: Sequence[Subject]) -> tuple[Pairing, ...]:
    """Those that the protocol asks for, in stored order.

    Agreement compares a model's maps under its methods, sanity those of a model and of its random twin, class
    separation those of a model for two classes; every other pairing the models under the leading method.
    """
    models = [place for place, subject in enumerate(subjects) if subject.beside is None]
    leading = [place for place in models if subjects[place].salience == subjects[0].salience]
    within = {
        AGREEMENT.name: models,
        SANITY.name: [*leading, *_beside(subjects, Weights.RANDOM)],
        CLASS_SEPARATION.name: [*leading, *_beside(subjects, Explained.OTHER_CLASS)],
    }
    return tuple(
        Pairing(column, _by_model(subjects, within[column.measure]) if column.measure in within else (tuple(leading),))
        for column in protocol.pairing_columns()
    )


def _beside(subjects: Sequence[Subject], what: str) -> list[int]:
    return [place for place, subject in enumerate(subjects) if subject.beside == what]


def _by_model(subjects: Sequence[Subject], places: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    models = dict.fromkeys(subject.model for subject in subjects)
    return tuple(tuple(place for place in places if subjects[place].model == model) for model in models)
