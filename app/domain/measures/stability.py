"""S_S: do independent trainings of one recipe look at the same things (Crum et al. 2023, S_S)."""

from collections.abc import Sequence

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn

NAME = "stability"

PAIRS = "pairs"
"""The mean over all pairs of runs."""

_OF_A_RUN = "the map of one of the runs is the same everywhere, so it shows no salience"


class StabilitySettings(Frozen):
    """S_S; it has no parameter."""


def _columns(settings: StabilitySettings) -> tuple[ScoreColumn, ...]:
    del settings
    return (ScoreColumn(measure=NAME, view=PAIRS, is_pairing=True),)


def _headline(settings: StabilitySettings) -> tuple[str, ...]:
    del settings
    return (PAIRS,)


def _as_it_is(means: Sequence[float]) -> float:
    return means[0]


STABILITY = MeasureSpec(
    name=NAME,
    title="Stability",
    symbol="S",
    question="Do independent trainings look at the same things? Mean SSIM of the maps of all pairs of runs.",
    direction="higher = the recipe converges to the same salience",
    card_title="Salience across training runs (SSIM)",
    settings=StabilitySettings,
    columns=_columns,
    headline=_headline,
    titles={PAIRS: "pairs of runs"},
    is_pairing=True,
    is_default=True,
    axis=Axis(label="stability", formula="the stability over pairs of runs", value=_as_it_is),
    gates=GateWords(views=(PAIRS,)),
    says_nothing=SaysNothing(below_control=True),
    undefined_words={"constant-map": _OF_A_RUN, "constant-view-map": _OF_A_RUN},
    figures=("pairs",),
)
