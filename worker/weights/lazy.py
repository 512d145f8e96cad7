"""Tensors that are still in their file: a shape and a type now, the numbers when they are asked for."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import torch
from torch import Tensor

from app.domain.refusals.weights import DAMAGED

MAX_DIMENSIONS = 16
_MAX_COUNT = 2**62


class LazyTensor(Protocol):
    """What a file holds under a name."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> torch.dtype: ...

    @property
    def identity(self) -> object:
        """Equal for two tensors that are the same bytes seen in the same way."""

    def read(self) -> Tensor:
        """The numbers, in memory of their own. Raises InputFailure ``model-invalid``."""


@dataclass(frozen=True)
class Span:
    """Bytes of a file; ``swapped`` where the machine that wrote them had the other byte order."""

    file: BinaryIO
    begin: int
    size: int
    swapped: bool = False

    def read(self, first: int, last: int) -> bytearray:
        """Raises InputFailure ``model-invalid`` where the file is shorter."""
        data = bytearray(last - first)
        self.file.seek(self.begin + first)
        if self.file.readinto(data) != len(data):  # type: ignore[attr-defined]
            raise DAMAGED.failure(what="it is shorter than it says")
        return data


@dataclass(frozen=True)
class Stored:
    """A view of a span, as torch strides it: element ``i`` is at ``offset + sum(i * stride)``, in elements."""

    span: Span
    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int = 0

    @classmethod
    def contiguous(cls, span: Span, dtype: torch.dtype, shape: tuple[int, ...]) -> "Stored":
        stride = [1] * len(shape)
        for place in range(len(shape) - 2, -1, -1):
            stride[place] = stride[place + 1] * max(shape[place + 1], 1)
        return cls(span, dtype, shape, tuple(stride))

    @property
    def identity(self) -> object:
        return id(self.span.file), self.span.begin, self.offset, self.dtype, self.shape, self.stride

    def check(self) -> None:
        """Raises ValueError unless every element lies within the span."""
        numbers = (*self.shape, *self.stride, self.offset)
        whole = all(type(number) is int and 0 <= number < _MAX_COUNT for number in numbers)
        if not whole or len(self.shape) != len(self.stride) or len(self.shape) > MAX_DIMENSIONS:
            raise ValueError("sizes that are no sizes")
        if math.prod(max(size, 1) for size in self.shape) >= _MAX_COUNT or self._end() > self.span.size:
            raise ValueError("more numbers than the file holds")

    def _end(self) -> int:
        if 0 in self.shape:
            return 0
        last = sum((size - 1) * step for size, step in zip(self.shape, self.stride, strict=True))
        return (self.offset + last + 1) * self.dtype.itemsize

    def read(self) -> Tensor:
        end = self._end()
        if not end:
            return torch.empty(self.shape, dtype=self.dtype)
        first = self.offset * self.dtype.itemsize
        return self._typed(self.span.read(first, end)).as_strided(self.shape, self.stride).clone()

    def _typed(self, data: bytearray) -> Tensor:
        if self.span.swapped and self.dtype.itemsize > 1:
            data = _swapped(data, self.dtype.itemsize)
        if self.dtype is torch.bool:  # any byte but zero is true; torch takes only one for it
            return torch.frombuffer(data, dtype=torch.uint8) != 0
        return torch.frombuffer(data, dtype=self.dtype)


def _swapped(data: bytearray, width: int) -> bytearray:
    turned = bytearray(len(data))
    for place in range(width):
        turned[place::width] = data[width - 1 - place :: width]
    return turned


@dataclass(frozen=True)
class Computed:
    """A tensor made of others when it is read."""

    parts: tuple[LazyTensor, ...]
    make: Callable[..., Tensor]
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def identity(self) -> object:
        return tuple(part.identity for part in self.parts)

    def read(self) -> Tensor:
        return self.make(*(part.read() for part in self.parts))


def reshaped(tensor: LazyTensor, shape: tuple[int, ...]) -> LazyTensor:
    """The same numbers in another shape."""
    return Computed((tensor,), lambda read: read.reshape(shape), shape, tensor.dtype)
