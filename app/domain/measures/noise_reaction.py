"""S_N: does noise that does not hide the object move the salience (Crum et al. 2023, S_N and Fig. 4)."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, field_validator

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views import NOISE, noise_view

NAME = "noise_reaction"

NoiseAmount = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class NoiseReactionSettings(Frozen):
    """S_N; salt and pepper at ``amount``, and the curve of Fig. 4 at further amounts."""

    amount: NoiseAmount = 0.05
    curve: Annotated[tuple[NoiseAmount, ...], Field(max_length=32)] = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)

    @field_validator("curve", mode="before")
    @classmethod
    def no_curve(cls, value: object) -> object:
        return () if value is None else value

    @property
    def amounts(self) -> tuple[float, ...]:
        """Every amount that is computed, ascending, each once."""
        return tuple(sorted({self.amount, *self.curve}))


def _columns(settings: NoiseReactionSettings) -> tuple[ScoreColumn, ...]:
    views = (noise_view(amount) for amount in settings.amounts)
    return tuple(ScoreColumn(measure=NAME, view=view, conditions=(view,)) for view in views)


def _headline(settings: NoiseReactionSettings) -> tuple[str, ...]:
    return (noise_view(settings.amount),)


def _as_it_is(means: Sequence[float]) -> float:
    return means[0]


NOISE_REACTION = MeasureSpec(
    name=NAME,
    title="Noise reaction",
    symbol="N",
    question="Does salt-and-pepper noise move the map? SSIM of the maps of the clean and the noisy image; 1: it does "
    "not move.",
    direction="higher = steadier",
    card_title="Salience under noise (SSIM)",
    settings=NoiseReactionSettings,
    columns=_columns,
    headline=_headline,
    views=(NOISE,),
    is_default=True,
    axis=Axis(label="noise\nreaction", formula="the noise reaction at the protocol's amount", value=_as_it_is),
    gates=GateWords(views=()),
    says_nothing=SaysNothing(at_chance=True, flipping=None),
    figures=("noise-curve",),
    gallery_views=_headline,
)
