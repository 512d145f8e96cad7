"""How many channels a network takes."""

from torch import nn

GREY, RGB = 1, 3


def input_channels(module: nn.Module) -> int:
    """One where its first convolution takes one, else three."""
    name = first_convolution(module)
    return GREY if name is not None and convolution(module, name).in_channels == GREY else RGB


def first_convolution(module: nn.Module) -> str | None:
    """Its name, in the order in which the network was put together."""
    return next((name for name, part in module.named_modules() if isinstance(part, nn.Conv2d)), None)


def convolution(module: nn.Module, name: str) -> nn.Conv2d:
    """The one of that name."""
    part = module.get_submodule(name)
    if not isinstance(part, nn.Conv2d):
        raise TypeError(name)
    return part
