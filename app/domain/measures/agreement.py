"""Beside the paper: do two methods find the same salience in one model, and does it lie where given maps have it."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from app.domain.maps.similarities import SIMILARITIES, Similarity
from app.domain.measures.spec import AgainstGiven, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views.families import ViewFamily

NAME = "agreement"

METHODS = "methods"
"""The mean over all pairs of methods, of every model."""
REST = "rest"
"""With the mean of all map sets but the subject's own: of a model, of all of them."""
MOST_MAP_SETS = 20
"""Of one audit."""

_OF_EITHER = "one of the two maps is the same everywhere, so it shows no salience"
_WORDS: Mapping[str, str] = {"constant-map": _OF_EITHER, "constant-view-map": _OF_EITHER}


def view_of_given(similarity: Similarity, map_set: int | None) -> str:
    """``cc@1`` is the correlation with the audit's first map set, ``cc@rest`` that with the mean of all."""
    return f"{similarity}@{REST if map_set is None else map_set + 1}"


def _is_empty(value: object) -> bool:
    return not value


class AgreementSettings(Frozen):
    """Of a model's CAM methods by SSIM; of every subject with an audit's map sets by ``similarities``."""

    similarities: Annotated[tuple[Similarity, ...], Field(max_length=len(Similarity))] = Field(
        default=(),
        exclude_if=_is_empty,
        description="By which maps are compared with those of map sets; unset: by all that are possible.",
    )
    methods: bool = Field(
        default=True, exclude_if=bool, description="Whether CAM methods are compared: the service sets it."
    )
    map_sets: int = Field(
        default=0,
        ge=0,
        le=MOST_MAP_SETS,
        exclude_if=_is_empty,
        description="How many map sets the audit has: the service sets it.",
    )

    @property
    def given(self) -> Iterator[AgainstGiven]:
        """With every map set, and where there are several with the mean of all but a subject's own."""
        targets = (*range(self.map_sets), *((None,) if self.map_sets > 1 else ()))
        return (AgainstGiven(similarity=one, map_set=target) for one in self.similarities for target in targets)


def _columns(settings: AgreementSettings) -> tuple[ScoreColumn, ...]:
    methods = (ScoreColumn(measure=NAME, view=METHODS, is_pairing=True),) if settings.methods else ()
    return (*methods, *map(_column, settings.given))


def _column(given: AgainstGiven) -> ScoreColumn:
    view = view_of_given(given.similarity, given.map_set)
    reach = SIMILARITIES[given.similarity].value_range
    return ScoreColumn(measure=NAME, view=view, has_control=True, given=given, value_range=reach)


def _headline(settings: AgreementSettings) -> tuple[str, ...]:
    """By CC where it is among them: it knows no scale, and both sides alike."""
    if settings.methods:
        return (METHODS,)
    one = Similarity.CC if Similarity.CC in settings.similarities else settings.similarities[0]
    return (view_of_given(one, None if settings.map_sets > 1 else 0),)


def _family(similarity: Similarity) -> ViewFamily:
    """``cc@1``, ``cc@2`` and so on, and ``cc@rest``."""
    names = (view_of_given(similarity, None),)
    return ViewFamily(similarity, names, parameter="MAP_SET", largest=MOST_MAP_SETS, whole=True)


AGREEMENT = MeasureSpec(
    name=NAME,
    title="Agreement",
    symbol="A",
    question="Do CAM methods find the same salience in a model? Mean SSIM of the maps of all pairs of its methods. And "
    "does it lie where the audit's map sets have it?",
    direction="higher = what is found depends less on the method; KL and EMD: lower = closer",
    card_title="Salience across CAM methods (SSIM)",
    settings=AgreementSettings,
    columns=_columns,
    headline=_headline,
    titles={METHODS: "pairs of methods"},
    lower_views=frozenset(str(one) for one, spec in SIMILARITIES.items() if spec.lower_is_closer),
    is_pairing=True,
    gates=GateWords(views=(METHODS,), families=tuple(map(_family, Similarity))),
    says_nothing=SaysNothing(below_control=True),
    undefined_words=_WORDS,
    figures=("pairs",),
)
