"""S_E: is the salience focused (Crum et al. 2023, S_E)."""

from collections.abc import Sequence
from enum import StrEnum

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, ScoreColumn

NAME = "entropy"


class EntropyReading(StrEnum):
    """The two readings of salience entropy: the paper's text and the authors' notebook."""

    SPATIAL = "spatial"
    HISTOGRAM = "histogram"


class EntropySettings(Frozen):
    """S_E; both readings are always computed, the headline leads tables and comparisons."""

    headline: EntropyReading = EntropyReading.SPATIAL


def _columns(settings: EntropySettings) -> tuple[ScoreColumn, ...]:
    del settings
    return tuple(ScoreColumn(measure=NAME, view=reading) for reading in EntropyReading)


def _headline(settings: EntropySettings) -> tuple[str, ...]:
    return (settings.headline,)


def _turned_round(means: Sequence[float]) -> float:
    return 1 - means[0]


ENTROPY = MeasureSpec(
    name=NAME,
    title="Entropy",
    symbol="E",
    question="Is the salience focused? 0: all of it in one cell of the map; 1: spread evenly.",
    direction="lower = more focused",
    card_title="Salience entropy",
    settings=EntropySettings,
    columns=_columns,
    headline=_headline,
    value_range=(0.0, 1.0),
    lower_is_better=True,
    is_default=True,
    axis=Axis(
        label="1 \N{MINUS SIGN} entropy",
        formula="1 - entropy: low entropy is focused salience, so it is turned round",
        value=_turned_round,
    ),
    gates=GateWords(views=tuple(EntropyReading)),
)
