"""Levels as a network gets them: which channels, and in which units their mean and deviation are told."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

Level = Annotated[float, Field(allow_inf_nan=False)]
Deviation = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_OF_UNIT, _OF_BYTES = 10.0, 255.0
"""No mean or deviation is larger: of levels from 0 to 1, of those from 0 to 255."""


class Channels(StrEnum):
    """In which order, and as how many, a network gets the channels."""

    RGB = "rgb"
    BGR = "bgr"
    GREY = "grey"


class ValueRange(StrEnum):
    """Where levels lie before mean and deviation: in [0, 1], [-1, 1] or [0, 255]."""

    UNIT = "unit"
    SIGNED = "signed"
    BYTE = "byte"


def check_units(numbers: tuple[float, ...], *, of_bytes: bool) -> None:
    """Raises ValueError for means or deviations that are of no such levels, or of two channels."""
    if len(numbers) == 2:
        raise ValueError("one number, or one for each of three channels")
    if of_bytes:
        if max(map(abs, numbers)) > _OF_BYTES:
            raise ValueError("levels go from 0 to 255")
    elif max(map(abs, numbers)) > _OF_UNIT:
        raise ValueError(
            "numbers of this size are of levels from 0 to 255, and the others are not: divide these by 255, or "
            'give all of them so, with "value_range": "byte"'
        )


def are_bytes(mean: object, std: object) -> bool:
    """Whether all of these can only be of levels from 0 to 255."""
    means, deviations = _numbers(mean), _numbers(std)
    if not means or not deviations or max(map(abs, means + deviations)) <= _OF_UNIT:
        return False
    return all(one == 0 or abs(one) > 1 for one in means) and min(deviations) >= 1


def _numbers(value: object) -> list[float]:
    """Those of a request that nobody has looked at; none where they are not numbers."""
    given = value if isinstance(value, list | tuple) else [value]
    numbers = [one for one in given if isinstance(one, int | float)]
    return numbers if len(numbers) == len(given) else []
