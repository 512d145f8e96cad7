"""Means over the models of a series."""

from collections.abc import Iterable
from typing import Literal

from app.domain.results.summaries import Summary

Number = Literal["mean", "std", "p05", "p50", "p95", "control_mean", "flip_rate"]


def mean_of(rows: list[Summary], name: Number) -> float | None:
    """Over the models of a series."""
    return mean_of_defined(row[name] for row in rows)


def mean_of_defined(values: Iterable[float | None]) -> float | None:
    """None where none is."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None
