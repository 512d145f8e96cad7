"""Beside the paper: do two methods find the same salience in one model."""

from collections.abc import Mapping

from app.domain.measures.spec import Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn

NAME = "agreement"

METHODS = "methods"
"""The mean over all pairs of methods, of every model."""

_OF_A_METHOD = "the map of one of the methods is the same everywhere, so it shows no salience"
_WORDS: Mapping[str, str] = {"constant-map": _OF_A_METHOD, "constant-view-map": _OF_A_METHOD}


class AgreementSettings(Frozen):
    """Agreement by SSIM; it has no parameter."""


def _columns(settings: AgreementSettings) -> tuple[ScoreColumn, ...]:
    del settings
    return (ScoreColumn(measure=NAME, view=METHODS),)


def _headline(settings: AgreementSettings) -> tuple[str, ...]:
    del settings
    return (METHODS,)


AGREEMENT = MeasureSpec(
    name=NAME,
    title="Agreement",
    symbol="A",
    question="Do CAM methods find the same salience in a model? Mean SSIM of the maps of all pairs of its methods.",
    direction="higher = what is found depends less on the method",
    card_title="Salience across CAM methods (SSIM)",
    settings=AgreementSettings,
    columns=_columns,
    headline=_headline,
    titles={METHODS: "pairs of methods"},
    is_pairing=True,
    gates=GateWords(views=(METHODS,)),
    says_nothing=SaysNothing(below_control=True),
    undefined_words=_WORDS,
    figures=("pairs",),
)
