"""The measures. A new one is a file here, one of the same name in `worker.measures`, and a line in both registries."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.domain.measures.agreement import AGREEMENT
from app.domain.measures.class_separation import CLASS_SEPARATION
from app.domain.measures.degradation import DEGRADATION
from app.domain.measures.entropy import ENTROPY
from app.domain.measures.equivariance import EQUIVARIANCE
from app.domain.measures.geometric_resilience import GEOMETRIC_RESILIENCE
from app.domain.measures.noise_reaction import NOISE_REACTION
from app.domain.measures.sanity import SANITY
from app.domain.measures.spec import QUARTER_TURNS, Axis, Frozen, MeasureSpec, ScoreColumn, WithTurns
from app.domain.measures.stability import STABILITY
from app.domain.measures.sufficiency import SUFFICIENCY
from app.domain.views.families import ViewFamily, family_of, plain_title

__all__ = [
    "AGREEMENT",
    "CLASS_SEPARATION",
    "DEGRADATION",
    "ENTROPY",
    "EQUIVARIANCE",
    "GEOMETRIC_RESILIENCE",
    "MEASURES",
    "NOISE_REACTION",
    "PAIRINGS",
    "QUARTER_TURNS",
    "SANITY",
    "STABILITY",
    "SUFFICIENCY",
    "Axis",
    "Frozen",
    "MeasureName",
    "MeasureSpec",
    "ScoreColumn",
    "WithTurns",
    "is_reading",
    "lower_is_better",
    "spec_of",
    "view_families",
    "view_title",
]

MEASURES: dict[str, MeasureSpec[Any]] = {
    spec.name: spec
    for spec in (
        ENTROPY,
        NOISE_REACTION,
        GEOMETRIC_RESILIENCE,
        DEGRADATION,
        STABILITY,
        EQUIVARIANCE,
        SUFFICIENCY,
        AGREEMENT,
        SANITY,
        CLASS_SEPARATION,
    )
}
"""In the order of protocols, stored scores, results and reports: a new measure comes last."""

PAIRINGS = tuple(spec for spec in MEASURES.values() if spec.is_pairing)
"""Those that compare two subjects, so that none of them alone has a score."""

if TYPE_CHECKING:
    MeasureName = str
else:
    MeasureName = StrEnum("MeasureName", {name.upper(): name for name in MEASURES})
    MeasureName.__doc__ = (
        "The measures: the five of Crum et al. (2023), in the order of the paper, and those beside it."
    )


def spec_of(measure: str) -> MeasureSpec[Any]:
    """The page of a measure. Raises KeyError where there is no such measure."""
    return MEASURES[measure]


def view_families(measures: Iterable[MeasureSpec[Any]] = MEASURES.values()) -> tuple[ViewFamily, ...]:
    """The families of all views that change images, each once."""
    return tuple(dict.fromkeys(family for spec in measures for family in spec.views))


def is_reading(view: str) -> bool:
    """Whether it reads the clean map alone, so that its map is the clean one."""
    readings = (spec for spec in MEASURES.values() if not spec.views and not spec.is_pairing)
    return any(view in spec.gates.views for spec in readings)


def view_title(view: str) -> str:
    """A view's name in words: ``noise@0.05`` -> ``noise 5%``, ``all`` -> ``all transformations``."""
    own = next((spec.titles[view] for spec in MEASURES.values() if view in spec.titles), None)
    family = family_of(view, view_families())
    return own or (family.title if family else plain_title)(view)


def lower_is_better(measure: str, view: str) -> bool:
    """Entropy, and what is left of a map once its salience is removed; of all else, more is better (Fig. 11).

    Of what is no measure (a gate's ``performance``) the view alone decides.
    """
    asked = [MEASURES[measure]] if measure in MEASURES else [spec for spec in MEASURES.values() if spec.lower_views]
    return any(spec.has_lower_better(view) for spec in asked)
