"""Beside the paper: does a map tell its class, or is it the same whichever class is asked for?"""

from collections.abc import Mapping

from app.domain.measures.spec import Frozen, GateWords, MeasureSpec, ScoreColumn

NAME = "class_separation"

OTHER_CLASS = "other_class"
"""The map of the class that is explained against that of the class with the highest logit among all others."""

_WORDS: Mapping[str, str] = {
    "constant-map": "the map of the class that is explained is the same everywhere",
    "constant-view-map": "the map of the other class is the same everywhere: nothing in the image speaks for it",
}


class ClassSeparationSettings(Frozen):
    """Class separation by SSIM; it has no parameter."""


def _columns(settings: ClassSeparationSettings) -> tuple[ScoreColumn, ...]:
    del settings
    return (ScoreColumn(measure=NAME, view=OTHER_CLASS, is_pairing=True),)


def _headline(settings: ClassSeparationSettings) -> tuple[str, ...]:
    del settings
    return (OTHER_CLASS,)


CLASS_SEPARATION = MeasureSpec(
    name=NAME,
    title="Class separation",
    symbol="CS",
    question="Does the map tell its class? SSIM of the maps of the class that is explained and of the one with the "
    "highest logit among all others, on the same image.",
    direction="lower = the classes are seen at different places",
    card_title="Salience of two classes of one image (SSIM)",
    settings=ClassSeparationSettings,
    columns=_columns,
    headline=_headline,
    titles={OTHER_CLASS: "explained class and another"},
    lower_is_better=True,
    is_pairing=True,
    needs_network=True,
    gates=GateWords(views=(OTHER_CLASS,)),
    undefined_words=_WORDS,
)
