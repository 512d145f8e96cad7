"""Beside the paper: how much of an image is enough for the prediction, and is it what the map points at."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from app.domain.measures.spec import Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views.families import FILL, FILLED, WITHOUT, WITHOUT_DETAIL, filled_view

NAME = "sufficiency"

KEPT, REMOVED = "kept", "removed"
AREAS = (KEPT, REMOVED)
"""Areas under the curves, of the score of the class that is predicted for the whole image."""
LABEL_AREAS = ("kept_label", "removed_label")
"""The same of the score of the sample's own label."""

Share = Annotated[float, Field(gt=0, lt=1, allow_inf_nan=False)]


class SufficiencySettings(Frozen):
    """``shares`` of the area are kept, and removed, in the map's order and cell by cell at random.

    ``fill`` stands where pixels are taken away: ``mean``, the mean colour that the model's preprocessing subtracts;
    ``blur``, the image under a Gaussian of 10 pixels; ``inpaint``, what the pixels around suggest.
    """

    fill: Literal["mean", "blur", "inpaint"] = "mean"
    shares: Annotated[tuple[Share, ...], Field(min_length=2, max_length=16)] = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)

    detail: bool = Field(
        default=False,
        description="true also looks at the image under a slight blur; the preset `investigate` does.",
        exclude_if=lambda detail: not detail,
    )

    @field_validator("shares")
    @classmethod
    def ascending(cls, value: tuple[Share, ...]) -> tuple[Share, ...]:
        return tuple(sorted(set(value)))

    @property
    def whole(self) -> tuple[str, ...]:
        """The views that keep every pixel, and take something else."""
        return (*WITHOUT, *((WITHOUT_DETAIL,) if self.detail else ()))

    def curve(self, order: str) -> tuple[str, ...]:
        """The views of one of `app.domain.views.families.ORDERS`, by ascending share."""
        return tuple(filled_view(order, share) for share in self.shares)

    def behind(self, order: str) -> tuple[str, ...]:
        """Every view that an area, and the control beside it, is made of."""
        return (FILL, *self.curve(order), *self.curve(f"{order}_random"))


def _columns(settings: SufficiencySettings) -> tuple[ScoreColumn, ...]:
    points = [
        ScoreColumn(measure=NAME, view=view, conditions=(view,), has_control=True)
        for order in AREAS
        for view in settings.curve(order)
    ]
    areas = [
        ScoreColumn(measure=NAME, view=view, conditions=settings.behind(order), has_control=True)
        for names in (AREAS, LABEL_AREAS)
        for view, order in zip(names, AREAS, strict=True)
    ]
    whole = [ScoreColumn(measure=NAME, view=view, conditions=(view,)) for view in settings.whole]
    return (*points, *areas, *whole)


def _headline(settings: SufficiencySettings) -> tuple[str, ...]:
    del settings
    return AREAS


def _gallery_views(settings: SufficiencySettings) -> tuple[str, ...]:
    return settings.curve(KEPT)[:3]


SUFFICIENCY = MeasureSpec(
    name=NAME,
    title="Sufficiency",
    symbol="SU",
    question="How much of the image is enough, and is it what the map points at? Area under the score of the predicted "
    "class while pixels are kept, or removed, in the order of the map; the control takes cells at random.",
    direction="kept: higher is better; removed: lower",
    card_title="Score as pixels are kept or removed in the order of the map (area)",
    settings=SufficiencySettings,
    columns=_columns,
    headline=_headline,
    views=FILLED,
    titles={
        KEPT: "kept, area under the curve",
        REMOVED: "removed, area under the curve",
        "kept_label": "kept, area for the label",
        "removed_label": "removed, area for the label",
    },
    lower_views=frozenset({REMOVED, "removed_label"}),
    needs_network=True,
    gates=GateWords(views=(*AREAS, *LABEL_AREAS, *WITHOUT, WITHOUT_DETAIL), needs_view=True),
    says_nothing=SaysNothing(),
    gallery_views=_gallery_views,
)
