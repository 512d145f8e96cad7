"""Which measures are computed, and by which settings."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import create_model, model_validator

from app.domain.measures import MEASURES, Frozen, MeasureSpec

_fields: dict[str, Any] = {spec.name: (spec.settings | None, None) for spec in MEASURES.values()}
_FieldPerMeasure: Any = create_model("_FieldPerMeasure", __base__=Frozen, **_fields)


class MeasureSettings(_FieldPerMeasure):
    """The measures of an audit; one that is null is not computed."""

    @model_validator(mode="after")
    def at_least_one(self) -> Self:
        if not self.names:
            raise ValueError("name at least one measure, or leave 'measures' out for all of them")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name in MEASURES if getattr(self, name) is not None)

    def computed(self) -> Iterator[tuple[MeasureSpec[Any], Any]]:
        """The measures that are computed, each with its settings, in stored order."""
        for name in self.names:
            yield MEASURES[name], getattr(self, name)
