"""What a measure is, but for its arithmetic: the page on which everything else about it stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from app.domain.maps.similarities import Similarity
from app.domain.views.families import ViewFamily


class Frozen(BaseModel):
    """A part of a protocol: it never changes, and knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WithTurns(Frozen):
    """Settings of a measure that looks at quarter turns; protocols of squares stay as they were before the field."""

    quarter_turns: bool = Field(
        default=True,
        description="false leaves them out, as is done for audits of which an input is not square.",
        exclude_if=bool,
    )


QUARTER_TURNS = next(iter(WithTurns.model_fields))

Settings = TypeVar("Settings", bound=Frozen)


class AgainstGiven(Frozen):
    """A comparison with the maps of an audit's map set, counted from 0; None: with the mean of all but its own."""

    similarity: Similarity
    map_set: int | None


class ScoreColumn(Frozen):
    """One number per sample and subject: a measure's view.

    ``conditions`` are the image-changing views it depends on (empty: the clean map alone). A column over several
    conditions is their mean. ``has_control``: beside the score a control is kept. ``is_pairing``: it compares the clean
    maps of several subjects, so that none of them has it alone.

    ``given`` says of a comparison with given maps by what and with which. ``value_range`` is None where the measure's
    own holds.
    """

    measure: str
    view: str
    conditions: tuple[str, ...] = ()
    has_control: bool = False
    is_pairing: bool = False
    given: AgainstGiven | None = None
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class Axis:
    """An axis of the radar, in [0, 1], higher is better.

    ``label`` is what stands at it, ``formula`` how it is made, in words; ``value`` makes it from the means of the
    measure's headline views, in their order.
    """

    label: str
    formula: str
    value: Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class SaysNothing:
    """When a number of the measure says nothing, beside what holds for all: few samples, many of them undefined.

    ``below_control``: where it does not lie above its control. ``at_chance``: where the images of its condition are
    classified no better than by chance. ``flipping`` are the views that say nothing where more than a third of the
    predictions flip; None stands for all of them.
    """

    below_control: bool = False
    at_chance: bool = False
    flipping: frozenset[str] | None = frozenset()

    def counts_flips(self, view: str) -> bool:
        """Whether flips of the prediction make this view's number meaningless."""
        return self.flipping is None or view in self.flipping


@dataclass(frozen=True)
class GateWords:
    """What a gate's condition may ask of a measure.

    ``views`` are the names that it may write; ``needs_view``: it has to name one, since none of them leads.
    ``families`` are further ones that change no image: which of them there are hangs on the audit.
    ``statistics`` are those that only this measure has, each with whether more or less of it is better.
    """

    views: tuple[str, ...]
    needs_view: bool = False
    families: tuple[ViewFamily, ...] = ()
    statistics: Mapping[str, Literal["higher", "lower", "neither"]] = field(default_factory=dict)


def _no_views(settings: Any) -> tuple[str, ...]:
    del settings
    return ()


@dataclass(frozen=True, kw_only=True)
class MeasureSpec(Generic[Settings]):
    """A measure without its arithmetic, which `worker.measures` keeps under the same name.

    ``name`` is its word in the API, ``symbol`` the subscript of the paper's S, ``question`` what it answers,
    ``direction`` which way is better, in words, ``card_title`` its name in a model card.

    ``settings`` are its options in a protocol. ``columns`` are its scores, in stored order; ``headline`` the views that
    lead tables and make the radar's axis. ``compared_views`` are those that a table of training strategies shows, where
    they are not the headline.

    ``is_pairing``: it compares the clean maps of two subjects, so that it has scores that no single subject has.
    ``is_default``: it is computed where a protocol names no measure.
    """

    name: str
    title: str
    symbol: str
    question: str
    direction: str
    card_title: str

    settings: type[Settings]
    columns: Callable[[Settings], tuple[ScoreColumn, ...]]
    headline: Callable[[Settings], tuple[str, ...]]
    compared_views: Callable[[Settings], tuple[str, ...]] | None = None
    views: tuple[ViewFamily, ...] = ()
    """The families of the views that it looks at."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Of views that are no family's: groups, readings, pairs."""

    value_range: tuple[float, float] = (-1.0, 1.0)
    """That a score cannot leave: of an SSIM by default. Histograms are drawn over it."""
    lower_is_better: bool = False
    lower_views: frozenset[str] = frozenset()
    """Views of which less is better, where of the measure's others more is; of those with a parameter, the name."""

    needs_network: bool = False
    """Whether maps alone, even of all its views, do not give it: it is made of scores of classes, its views hang on a
    network's layer, or it compares a model's maps with others of its network."""
    has_skill: bool = False
    """Whether its summaries tell how far the score stands above its control (`app.domain.statistics.skill`)."""

    is_pairing: bool = False
    is_default: bool = False
    axis: Axis | None = None
    gates: GateWords
    says_nothing: SaysNothing = SaysNothing()
    undefined_words: Mapping[str, str] = field(default_factory=dict)
    """What a reason means here, where it is not what it means elsewhere."""

    figures: tuple[str, ...] = ()
    """Of its section in a report, by their names in `app.reports.figures`, beside the distributions that all have."""
    gallery_views: Callable[[Settings], tuple[str, ...]] = _no_views
    """The views whose maps the gallery shows beside the clean map."""

    def settings_in(self, measures: object) -> Settings | None:
        """Its settings among a protocol's ``measures``; None where the protocol does not compute it."""
        found: Settings | None = getattr(measures, self.name)
        return found

    def has_lower_better(self, view: str) -> bool:
        """Whether less of this view's number is better."""
        return self.lower_is_better or view.partition("@")[0] in self.lower_views

    def fixed_views(self) -> tuple[str, ...]:
        """The views that it looks at, without those whose name holds a number."""
        return tuple(view for family in self.views for view in family.names)

    def strategy_views(self, settings: Settings) -> tuple[str, ...]:
        """What a table that compares training strategies shows of it, as the paper's Tables 1 and 2."""
        return self.headline(settings) if self.compared_views is None else self.compared_views(settings)
