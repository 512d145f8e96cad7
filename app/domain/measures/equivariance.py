"""Beside the paper: does the map go where the image goes, and would it have gone anywhere else."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.domain.measures.spec import GateWords, MeasureSpec, SaysNothing, ScoreColumn, WithTurns
from app.domain.views.families import CELL_DIRECTIONS, CELLS, FLIPS, GEOMETRY, ROTATIONS, cells_view

NAME = "equivariance"

CELL_SHIFTS = "shifts"
"""The mean over the shifts by whole cells: the headline."""

Cells = Literal[1, 2, 3]


class EquivarianceSettings(WithTurns):
    """``cells``: by how many cells of the map the image is moved, in each of four directions."""

    cells: Annotated[tuple[Cells, ...], Field(min_length=1, max_length=3)] = (1, 2, 3)

    @field_validator("cells")
    @classmethod
    def each_once(cls, value: tuple[Cells, ...]) -> tuple[Cells, ...]:
        return tuple(sorted(set(value)))

    @property
    def shifts(self) -> tuple[str, ...]:
        return tuple(cells_view(count, direction) for count in self.cells for direction in CELL_DIRECTIONS)

    @property
    def views(self) -> tuple[str, ...]:
        return (*self.shifts, *FLIPS, *(ROTATIONS if self.quarter_turns else ()))

    @property
    def aggregates(self) -> dict[str, tuple[str, ...]]:
        return {CELL_SHIFTS: self.shifts}


def _columns(settings: EquivarianceSettings) -> tuple[ScoreColumn, ...]:
    members = {view: (view,) for view in settings.views} | settings.aggregates
    return tuple(
        ScoreColumn(measure=NAME, view=view, conditions=conditions, has_control=True)
        for view, conditions in members.items()
    )


def _headline(settings: EquivarianceSettings) -> tuple[str, ...]:
    del settings
    return (CELL_SHIFTS,)


def _gallery_views(settings: EquivarianceSettings) -> tuple[str, ...]:
    return settings.shifts[:4]


EQUIVARIANCE = MeasureSpec(
    name=NAME,
    title="Equivariance",
    symbol="EQ",
    question="Does the map go where the image goes? Correlation of the clean map with the map of the moved image, over "
    "the cells that both of them saw. Its skill is 0 for a map that stands still and 1 for one that follows.",
    direction="skill: higher = follows the image",
    card_title="Salience when the image moves by whole cells (correlation)",
    settings=EquivarianceSettings,
    columns=_columns,
    headline=_headline,
    views=(CELLS, GEOMETRY),
    needs_network=True,
    has_skill=True,
    gates=GateWords(
        views=(*CELLS.names, *FLIPS, *ROTATIONS, CELL_SHIFTS),
        statistics={
            **dict.fromkeys(("skill", "skill_low", "skill_high"), "higher"),
            **dict.fromkeys(("centre_slope", "specificity"), "neither"),
        },
    ),
    says_nothing=SaysNothing(below_control=True),
    gallery_views=_gallery_views,
)
