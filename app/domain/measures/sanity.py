"""Beside the paper: what would a network that learnt nothing score? The floor of every measure."""

from collections.abc import Mapping

from app.domain.measures.spec import Frozen, GateWords, MeasureSpec, ScoreColumn

NAME = "sanity"

ENTROPY_RISE = "entropy_rise"
"""How much the map's spatial entropy rises once the weights are random, over what it was: eMPRT (arXiv 2401.06465)."""

_WORDS: Mapping[str, str] = {"constant-view-map": "the map of the random network is the same everywhere"}


class SanitySettings(Frozen):
    """The random twin has no parameter; its weights are drawn by the protocol's seed."""


def _columns(settings: SanitySettings) -> tuple[ScoreColumn, ...]:
    del settings
    return (ScoreColumn(measure=NAME, view=ENTROPY_RISE, is_pairing=True),)


def _headline(settings: SanitySettings) -> tuple[str, ...]:
    del settings
    return (ENTROPY_RISE,)


SANITY = MeasureSpec(
    name=NAME,
    title="Sanity",
    symbol="R",
    question="What would the same network score with random weights? How far the entropy of its maps rises.",
    direction="higher = training has focused the maps",
    card_title="Rise of the maps' entropy under random weights",
    settings=SanitySettings,
    columns=_columns,
    headline=_headline,
    titles={ENTROPY_RISE: "rise of the entropy"},
    is_pairing=True,
    needs_network=True,
    gates=GateWords(views=(ENTROPY_RISE,)),
    undefined_words=_WORDS,
    figures=("twins",),
)
