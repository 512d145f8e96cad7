"""S_N: does noise that does not hide the object move the salience (Crum et al. 2023, S_N and Fig. 4)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views.deformations import DEFORMATIONS, FAMILIES, MOST_SEVERE, Kind
from app.domain.views.families import NOISE, noise_view, with_parameter

NAME = "noise_reaction"

NoiseAmount = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


Severity = Annotated[int, Field(ge=1, le=MOST_SEVERE, strict=True)]


class Deformation(Frozen):
    """A deformation at some of its five severities."""

    kind: Kind
    severities: Annotated[tuple[Severity, ...], Field(min_length=1, max_length=MOST_SEVERE)] = (1, 2, 3, 4, 5)

    @field_validator("severities")
    @classmethod
    def ascending(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(with_parameter(self.kind, severity) for severity in self.severities)


def _is_empty(value: tuple[Deformation, ...]) -> bool:
    return not value


class NoiseReactionSettings(Frozen):
    """S_N; salt and pepper at ``amount``, the curve of Fig. 4 at further amounts, and other deformations by name."""

    # What `amount` and `curve` are of; told or not, it is the same protocol.
    kind: Literal["salt_and_pepper"] = Field(
        default="salt_and_pepper",
        exclude_if=lambda kind: kind == "salt_and_pepper",
        description="The noise of `amount` and `curve`: the paper's.",
    )
    amount: NoiseAmount = 0.05
    curve: Annotated[tuple[NoiseAmount, ...], Field(max_length=32)] = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
    # A protocol without them is the same one, with the same digest, as before there were any.
    deformations: Annotated[tuple[Deformation, ...], Field(max_length=len(DEFORMATIONS), exclude_if=_is_empty)] = ()

    @field_validator("curve", mode="before")
    @classmethod
    def no_curve(cls, value: object) -> object:
        return () if value is None else value

    @field_validator("deformations")
    @classmethod
    def each_kind_once(cls, value: tuple[Deformation, ...]) -> tuple[Deformation, ...]:
        if len({one.kind for one in value}) != len(value):
            raise ValueError("name each kind of deformation once, with all its severities")
        return value

    @property
    def views(self) -> tuple[str, ...]:
        """Salt and pepper first, then the deformations in the order of the request."""
        amounts = (noise_view(amount) for amount in self.amounts)
        return (*amounts, *(view for one in self.deformations for view in one.views))

    @property
    def amounts(self) -> tuple[float, ...]:
        """Every amount that is computed, ascending, each once."""
        return tuple(sorted({self.amount, *self.curve}))


def _columns(settings: NoiseReactionSettings) -> tuple[ScoreColumn, ...]:
    return tuple(ScoreColumn(measure=NAME, view=view, conditions=(view,)) for view in settings.views)


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
    views=(NOISE, *FAMILIES),
    is_default=True,
    axis=Axis(label="noise\nreaction", formula="the noise reaction at the protocol's amount", value=_as_it_is),
    gates=GateWords(views=()),
    says_nothing=SaysNothing(at_chance=True, flipping=None),
    figures=("noise-curve", "deformation-curves"),
    gallery_views=_headline,
)
