"""What gives the maps of an audit, and what compares the maps of two of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from uuid import UUID

from app.domain.measures import AGREEMENT, CLASS_SEPARATION, SANITY, Frozen, ScoreColumn
from app.domain.protocol import Protocol, SalienceSettings
from app.domain.vocabulary import CLEAN, Explained, Weights

MAP_SET = "map_set"
"""Stands in the place of a model's id in the key of a map set, whose own id follows."""
SEPARATOR = ":"
"""Between a model's id and what is not as under the leading method, in the key of a subject that does not lead."""


_BESIDE: dict[str, str] = {Weights.RANDOM: "random weights", Explained.OTHER_CLASS: "other class"}
"""What stands beside a model to be compared with it, in words."""


class Subject(Frozen):
    """Whatever gives a map for a sample: a model under a CAM method, a target and a layer; the model's random twin; the
    model asked for another class than the target's; or a map set, whose maps are there already.

    ``model`` is the model's place among those of the audit, ``map_set`` the map set's among its map sets, whose maps
    are of the images under ``views``. Subjects are counted from 0, as the rows of their scores are: ``model_ordinal``
    in the database is a subject's.
    """

    model: int | None
    salience: SalienceSettings
    weights: Weights = Weights.TRAINED
    explained: Explained = Explained.TARGET
    map_set: int | None = None
    views: tuple[str, ...] = ()

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

    def conditions(self, protocol: Protocol) -> tuple[str, ...]:
        """Those of which it has maps, in the protocol's order, clean first."""
        known = (CLEAN, *self.protocol(protocol).conditions())
        return known if self.map_set is None else tuple(view for view in known if view in self.views)

    def columns(self, protocol: Protocol) -> tuple[ScoreColumn, ...]:
        """The protocol's columns that it may have a score in: a map set has those of measures of whose views it has
        all, but for scores of classes, and none against itself."""
        if self.map_set is None:
            return self.protocol(protocol).columns()
        return tuple(
            column
            for spec, settings in protocol.measures.computed()
            for columns in [[one for one in spec.columns(settings) if not one.is_pairing]]
            if not spec.needs_network and all({*one.conditions} <= {*self.views} for one in columns)
            for column in columns
            if column.given is None or column.given.map_set != self.map_set
        )

    def key(self, protocol: Protocol, owner_id: UUID) -> str:
        """What tells it from the audit's other subjects: of the leading method the model's id, else both; of a map set
        that it is one, and its id."""
        if self.map_set is not None:
            return f"{MAP_SET}{SEPARATOR}{owner_id}"
        if self.beside is not None:
            return f"{owner_id}{SEPARATOR}{self.beside}"
        leads = self.salience.method == protocol.salience.method
        return str(owner_id) if leads else f"{owner_id}{SEPARATOR}{self.salience.method}"

    def title(self, protocol: Protocol, name: str) -> str:
        """The model's name; the method where the audit has several; what it is beside the model."""
        if self.map_set is not None:
            return name
        if self.beside is not None:
            return f"{name} ({_BESIDE[self.beside]})"
        return f"{name} ({self.salience.method})" if len(protocol.salience.all_methods) > 1 else name


def model_of(key: str) -> str | None:
    """The id of the model that a subject's key is of; None of a map set's."""
    owner = key.partition(SEPARATOR)[0]
    return None if owner == MAP_SET else owner


def leads(key: str) -> bool:
    """Whether the subject is of the leading method: means over models, gates and axes are made of those alone."""
    return SEPARATOR not in key


def is_model(key: str) -> bool:
    """Whether the subject is what the audit is about, and not beside it: nothing is found of a random twin, another
    class's maps or a map set, and no table of a report has them among the models."""
    return model_of(key) is not None and key.partition(SEPARATOR)[2] not in _BESIDE


def noun_of(keys: Iterable[str]) -> str:
    """What the subjects are, in words."""
    return "model" if any(model_of(key) is not None for key in keys) else "map set"


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


def subjects_of(protocol: Protocol, models: int, map_sets: Sequence[Sequence[str]] = ()) -> tuple[Subject, ...]:
    """Every model under the leading method, then every model under the next one; then the random twins, every model
    asked for another class; last the map sets, each told by the views that it has maps of.
    """
    salience, places = protocol.salience, range(models)
    leading = salience.under(salience.method)
    of_models = [
        Subject(model=place, salience=salience.under(method)) for method in salience.all_methods for place in places
    ]
    twins = [Subject(model=place, salience=leading, weights=Weights.RANDOM) for place in places]
    others = [Subject(model=place, salience=leading, explained=Explained.OTHER_CLASS) for place in places]
    given = [
        Subject(model=None, salience=leading, map_set=place, views=tuple(views)) for place, views in enumerate(map_sets)
    ]
    return (
        *of_models,
        *(twins if SANITY.settings_in(protocol.measures) else ()),
        *(others if CLASS_SEPARATION.settings_in(protocol.measures) else ()),
        *given,
    )


def pairings_of(protocol: Protocol, subjects: Sequence[Subject]) -> tuple[Pairing, ...]:
    """Those that the protocol asks for, in stored order.

    Agreement compares a model's maps under its methods, sanity those of a model and of its random twin, class
    separation those of a model for two classes; every other pairing the models under the leading method, or where there
    is none the map sets.
    """
    models = [place for place, one in enumerate(subjects) if one.beside is None and one.model is not None]
    leading = [place for place in models if subjects[place].salience == subjects[0].salience]
    within = {
        AGREEMENT.name: models,
        SANITY.name: [*leading, *_beside(subjects, Weights.RANDOM)],
        CLASS_SEPARATION.name: [*leading, *_beside(subjects, Explained.OTHER_CLASS)],
    }
    together = tuple(leading) or tuple(range(len(subjects)))
    return tuple(
        Pairing(column, _by_model(subjects, within[column.measure]) if column.measure in within else (together,))
        for column in protocol.pairing_columns()
    )


def _beside(subjects: Sequence[Subject], what: str) -> list[int]:
    return [place for place, subject in enumerate(subjects) if subject.beside == what]


def _by_model(subjects: Sequence[Subject], places: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    models = dict.fromkeys(subjects[place].model for place in places)
    return tuple(tuple(place for place in places if subjects[place].model == model) for model in models)
