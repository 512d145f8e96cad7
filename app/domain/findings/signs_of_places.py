"""Signs of a shortcut in where maps lie."""

import math
from collections.abc import Iterator
from typing import NamedTuple

from app.domain.findings.signs import Found
from app.domain.protocol.finding_settings import FindingSettings
from app.domain.results.map_places import WhereMapsLie


class _Class(NamedTuple):
    """Where the maps of one predicted class lie."""

    name: str
    n: int
    entropy: float
    border_ratio: float
    centre: tuple[float, float]
    fixedness: float | None


def _classes(maps: WhereMapsLie | None, settings: FindingSettings) -> Iterator[_Class]:
    """The predicted classes that have enough maps."""
    for row in maps["groups"] if maps else []:
        if row["group_by"] != "predicted" or row["n"] < settings.least_samples:
            continue
        numbers = (row.get("entropy"), row.get("border_ratio"), row.get("centre_down"), row.get("centre_right"))
        entropy, ratio, down, right = numbers
        if entropy is not None and ratio is not None and down is not None and right is not None:
            yield _Class(row["group"], row["n"], entropy, ratio, (down, right), row.get("fixedness"))


def places(maps: WhereMapsLie | None, settings: FindingSettings) -> Found:
    for one in _classes(maps, settings):
        down, right = one.centre
        evidence: dict[str, object] = {
            "predicted": one.name,
            "n": one.n,
            "border_ratio": one.border_ratio,
            "fixedness": one.fixedness,
            "centre_down": down,
            "centre_right": right,
        }
        if one.border_ratio > settings.border_ratio:
            yield (
                "border",
                {
                    "measure": None,
                    "text": f"Maps of {one.name} lie at the border: the outer ring of cells has "
                    f"{one.border_ratio:.2f} times the salience of its area.",
                    "evidence": evidence | {"threshold": settings.border_ratio},
                },
            )
        distance = math.hypot(down - 0.5, right - 0.5)
        if (one.fixedness or 0) > settings.fixedness and distance > settings.off_centre:
            yield (
                "fixed-place",
                {
                    "measure": None,
                    "text": f"Maps of {one.name} lie at one place away from the middle, whatever the image shows: "
                    f"each correlates with the mean of the others by {one.fixedness:.2f}, and their centre is "
                    f"{distance:.0%} of a side off.",
                    "evidence": evidence | {"off_centre": distance, "threshold": settings.fixedness},
                },
            )


def one_sided(maps: WhereMapsLie | None, settings: FindingSettings) -> Found:
    """A class that is focused, and not in the middle, while every other is diffuse."""
    rows = sorted(_classes(maps, settings), key=lambda one: one.entropy)
    if len(rows) < 2:
        return
    focused, next_one = rows[0], rows[1]
    difference = next_one.entropy - focused.entropy
    if difference > settings.focus_difference and focused.border_ratio > settings.focus_border_ratio:
        yield (
            "one-sided",
            {
                "measure": "entropy",
                "text": f"Maps of {focused.name} are focused, and not in the middle, while those of "
                f"{next_one.name} are spread out (entropy {focused.entropy:.2f} and {next_one.entropy:.2f}): "
                "one class is told by something small, the other by its absence.",
                "evidence": {
                    "focused": focused.name,
                    "entropy_focused": focused.entropy,
                    "diffuse": next_one.name,
                    "entropy_diffuse": next_one.entropy,
                    "difference": difference,
                    "border_ratio": focused.border_ratio,
                    "threshold": settings.focus_difference,
                },
            },
        )
