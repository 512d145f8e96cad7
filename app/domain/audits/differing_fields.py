"""Which fields keep two audits from being compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.measures import MEASURES, QUARTER_TURNS

OPTIONAL = frozenset((*(f"protocol.measures.{measure}" for measure in MEASURES), "protocol.salience.methods"))
"""What may stand in one of two protocols only: a measure that only that one computes, CAM methods beside the first."""


@dataclass(frozen=True)
class Basis:
    """What two audits must share: the images, which of them were drawn, and how they were looked at."""

    dataset_digest: str | None
    sample_positions: Sequence[int] | None
    protocol: Mapping[str, Any]


def differing_fields(first: Basis, second: Basis) -> list[str]:
    """Paths, sorted; empty where the audits can be compared."""
    found = [] if first.dataset_digest == second.dataset_digest else ["dataset_digest"]
    if first.sample_positions != second.sample_positions:
        found.append("sample_draw")
    return found + differing_options(first.protocol, second.protocol)


def differing_options(first: Mapping[str, Any], second: Mapping[str, Any], path: str = "protocol") -> list[str]:
    """Paths of the options in which two resolved protocols differ; of views that only one has, the others compare."""
    found: list[str] = []
    for name in sorted({*first, *second} - {QUARTER_TURNS}):
        here = f"{path}.{name}"
        if name not in first or name not in second:
            found.append(here)
        elif isinstance(first[name], Mapping) and isinstance(second[name], Mapping):
            found += differing_options(first[name], second[name], here)
        elif first[name] != second[name]:
            found.append(here)
    return found
