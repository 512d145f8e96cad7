"""Networks for grey images: their first convolution takes one channel."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from app.domain.models.levels import Channels
from app.domain.models.preprocessing import Preprocessing
from app.domain.refusals.networks import GREY
from worker.salience.input_channels import convolution, first_convolution

Maker = Callable[..., nn.Module]


def with_channels(make: Maker, weights: Mapping[str, Tensor]) -> Maker:
    """A maker of networks whose first convolution takes one channel where that of the weights does."""

    def made(classes: int) -> nn.Module:
        module = make(classes)
        name = first_convolution(module)
        given = weights.get(f"{name}.weight")
        if name is not None and given is not None:
            _narrow(convolution(module, name), given)
        return module

    return made


def _narrow(first: nn.Conv2d, given: Tensor) -> None:
    if first.in_channels == 3 and first.groups == 1 and given.shape == (first.out_channels, 1, *first.kernel_size):
        first.in_channels = 1
        first.weight = nn.Parameter(torch.empty_like(first.weight[:, :1]))


def check_channels(taken: int, preprocessing: Preprocessing) -> None:
    """Raises InputFailure ``model-architecture-mismatch`` where a network of one channel would get three."""
    if taken == 3:
        return
    if preprocessing.channels is not Channels.GREY:
        raise GREY.failure(what=f'says "channels": "{preprocessing.channels}"')
    if len(preprocessing.mean) != 1:
        raise GREY.failure(what=f"has {len(preprocessing.mean)} means")
