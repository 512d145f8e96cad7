"""Networks made to be looked at: their weights have shapes, and no memory."""

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from app.domain.refusals.architectures import TOO_MANY_LAYERS

MOST_TENSORS = 50_000
"""Of the two or three networks that are made at a time. The largest that are known have 3,000 each."""


class WithoutMemory(TorchFunctionMode):
    """New weights get a shape, but no memory; and there are not so many that to make them would take minutes.

    Unlike under ``torch.device("meta")``, the small tensors with which RegNets compute their widths keep values.
    """

    _ALLOCATIONS = frozenset({torch.empty, torch.ones, torch.zeros, torch.rand, torch.randn})

    def __init__(self) -> None:
        super().__init__()
        self._made = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        options = kwargs or {}
        if func not in self._ALLOCATIONS:
            return func(*args, **options)
        self._made += 1
        if self._made > MOST_TENSORS:
            raise TOO_MANY_LAYERS.failure(most=MOST_TENSORS)
        return func(*args, **(options | {"device": "meta"}))
