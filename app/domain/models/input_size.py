"""The size of a network's input: one number for a square, else height and width."""

from typing import NamedTuple

InputSize = int | tuple[int, int]
"""As requests and stored rows have it."""


class Size(NamedTuple):
    """In pixels."""

    height: int
    width: int

    @property
    def is_square(self) -> bool:
        return self.height == self.width

    def __str__(self) -> str:
        return f"{self.height} x {self.width}"


def size_of(value: InputSize) -> Size:
    """Height and width, also of a square's one number."""
    return Size(value, value) if isinstance(value, int) else Size(*value)
