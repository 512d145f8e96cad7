"""S_G: does the salience follow the image when it moves (Crum et al. 2023, S_G and Table 2)."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn, WithTurns
from app.domain.views.families import GEOMETRIC_GROUPS, GEOMETRY, with_parameter
from app.domain.views.moves import FAMILIES, MOVES, MoveKind

NAME = "geometric_resilience"

ALL = "all"
"""The mean over every transformation."""

GeometricGroup = Literal["shifts", "flips", "rotations"]


class Move(Frozen):
    """A move by some numbers."""

    kind: MoveKind
    values: Annotated[tuple[Annotated[float, Field(allow_inf_nan=False)], ...], Field(min_length=1, max_length=16)]

    @field_validator("values")
    @classmethod
    def ascending(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def within_limits(self) -> Self:
        spec = MOVES[self.kind]
        if any(not spec.allows(value) for value in self.values):
            raise ValueError(f"the number of {self.kind} {spec.limits}")
        return self

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(with_parameter(self.kind, value) for value in self.values)


def _is_empty(value: tuple[Move, ...]) -> bool:
    return not value


class GeometricResilienceSettings(WithTurns):
    """S_G; ``shift_pixels`` null means round(side / 14), of the height up and down, of the width left and right."""

    shift_pixels: Annotated[int, Field(ge=1, le=4096)] | None = None
    overlap: bool = False
    groups: Annotated[tuple[GeometricGroup, ...], Field(min_length=1)] = ("shifts", "flips", "rotations")
    # A protocol without them is the same one, with the same digest, as before there were any.
    deformations: Annotated[tuple[Move, ...], Field(max_length=len(MOVES), exclude_if=_is_empty)] = ()

    @field_validator("groups")
    @classmethod
    def each_group_once(cls, value: tuple[GeometricGroup, ...]) -> tuple[GeometricGroup, ...]:
        return tuple(group for group in GEOMETRIC_GROUPS if group in value)

    @field_validator("deformations")
    @classmethod
    def each_kind_once(cls, value: tuple[Move, ...]) -> tuple[Move, ...]:
        if len({one.kind for one in value}) != len(value):
            raise ValueError("name each kind of deformation once, with all its values")
        return value

    @property
    def moved_views(self) -> tuple[str, ...]:
        """Beside the paper's twelve and their groups: they are in no mean."""
        return tuple(view for one in self.deformations for view in one.views)

    @property
    def existing_groups(self) -> tuple[GeometricGroup, ...]:
        """Without the quarter turns where they do not exist."""
        return tuple(group for group in self.groups if self.quarter_turns or group != "rotations")

    @property
    def views(self) -> tuple[str, ...]:
        return tuple(view for group in self.existing_groups for view in GEOMETRIC_GROUPS[group])

    @property
    def aggregates(self) -> dict[str, tuple[str, ...]]:
        """Group name -> its views; ``all``, of those that exist, only where every group is asked for."""
        groups: dict[str, tuple[str, ...]] = {group: GEOMETRIC_GROUPS[group] for group in self.existing_groups}
        if len(self.groups) == len(GEOMETRIC_GROUPS):
            groups[ALL] = self.views
        return groups


def _columns(settings: GeometricResilienceSettings) -> tuple[ScoreColumn, ...]:
    members = {view: (view,) for view in settings.views} | settings.aggregates
    members |= {view: (view,) for view in settings.moved_views}
    return tuple(
        ScoreColumn(measure=NAME, view=view, conditions=conditions, has_control=True)
        for view, conditions in members.items()
    )


def _headline(settings: GeometricResilienceSettings) -> tuple[str, ...]:
    return (ALL,) if ALL in settings.aggregates else settings.views


def _mean(means: Sequence[float]) -> float:
    return sum(means) / len(means)


def _gallery_views(settings: GeometricResilienceSettings) -> tuple[str, ...]:
    """One of each kind is enough to see what the measure does; and the one that the samples are ranked by."""
    kinds = [GEOMETRIC_GROUPS[group][0] for group in settings.existing_groups]
    ranked = _headline(settings)[-1]
    return tuple(dict.fromkeys([*kinds, *([ranked] if ranked in settings.views else [])]))


GEOMETRIC_RESILIENCE = MeasureSpec(
    name=NAME,
    title="Geometric resilience",
    symbol="G",
    question="Does the map follow the image? SSIM of the clean map and the map of the transformed image, carried back. "
    "It says something only where it stands above its control, the same SSIM without carrying back.",
    direction="higher = follows the image",
    card_title="Salience under geometric transformations (SSIM)",
    settings=GeometricResilienceSettings,
    columns=_columns,
    headline=_headline,
    compared_views=lambda settings: settings.existing_groups,
    views=(GEOMETRY, *FAMILIES),
    titles={ALL: "all transformations"},
    is_default=True,
    axis=Axis(label="geometric\nresilience", formula="the mean over the protocol's transformations", value=_mean),
    gates=GateWords(views=(*GEOMETRY.names, *GEOMETRIC_GROUPS, ALL)),
    says_nothing=SaysNothing(below_control=True),
    figures=("geometry", "move-curves"),
    gallery_views=_gallery_views,
)
