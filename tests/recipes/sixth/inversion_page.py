"""A sixth measure's page: does the map survive a negative of the image. A file of ``app/domain/measures``."""

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views.families import ViewFamily

INVERTED = "inverted"


class InversionSettings(Frozen):
    """It has no parameter."""


def _columns(settings: InversionSettings) -> tuple[ScoreColumn, ...]:
    del settings
    return (ScoreColumn(measure="inversion", view=INVERTED, conditions=(INVERTED,)),)


def _headline(settings: InversionSettings) -> tuple[str, ...]:
    del settings
    return (INVERTED,)


INVERSION = MeasureSpec(
    name="inversion",
    title="Inversion",
    symbol="I",
    question="Does the map survive a negative of the image?",
    direction="higher = cares for shapes",
    card_title="Salience of the negative (SSIM)",
    settings=InversionSettings,
    columns=_columns,
    headline=_headline,
    views=(ViewFamily("inversion", (INVERTED,)),),
    axis=Axis(label="inversion", formula="the SSIM itself", value=lambda means: means[0]),
    gates=GateWords(views=(INVERTED,)),
    says_nothing=SaysNothing(flipping=None),
    gallery_views=_headline,
)
