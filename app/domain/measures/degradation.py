"""S_D: does it matter to the model when what it points at is blurred away, or all the rest (Crum et al. 2023, S_D)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from app.domain.measures.spec import Axis, Frozen, GateWords, MeasureSpec, SaysNothing, ScoreColumn
from app.domain.views.families import DEGRADATION as DEGRADED
from app.domain.views.families import DEGRADATIONS

NAME = "degradation"


class DegradationSettings(Frozen):
    """S_D; sigma = sigma_max * ((10 - v) / 10) ** curve, which is (10 - v)^4 / 1000 by default.

    ``exact`` blurs with SciPy's own bits; without it a mix of eight blurs stands in, within 0.2 grey levels of them.
    """

    sigma_max: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = 10.0
    curve: Literal[1, 2, 3, 4] = 4
    exact: bool = True


def _columns(settings: DegradationSettings) -> tuple[ScoreColumn, ...]:
    del settings
    return tuple(ScoreColumn(measure=NAME, view=view, conditions=(view,)) for view in DEGRADATIONS)


def _both(settings: DegradationSettings) -> tuple[str, ...]:
    del settings
    return DEGRADATIONS


def _between(means: Sequence[float]) -> float:
    salience_removed, non_salience_removed = means
    return ((1 - salience_removed) + non_salience_removed) / 2


DEGRADATION = MeasureSpec(
    name=NAME,
    title="Degradation",
    symbol="D",
    question="Does what the model points at matter to it? SSIM of the clean map and the map of an image in which the "
    "salient part, or all the rest, was blurred away.",
    direction="non-salience removed: higher is better; salience removed: lower",
    card_title="Salience under degradation (SSIM)",
    settings=DegradationSettings,
    columns=_columns,
    headline=_both,
    views=(DEGRADED,),
    lower_views=frozenset({"salience_removed"}),
    is_default=True,
    axis=Axis(
        label="degradation",
        formula="((1 - salience_removed) + non_salience_removed) / 2; it punishes a model whose maps"
        " survive the removal of salience, which the paper's text praises",
        value=_between,
    ),
    gates=GateWords(views=DEGRADATIONS, needs_view=True),
    # A fall of accuracy is what the removal of salience looks for.
    says_nothing=SaysNothing(flipping=frozenset({"non_salience_removed"})),
    figures=("roc",),
    gallery_views=_both,
)
