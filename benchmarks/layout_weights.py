"""The networks of `benchmarks.layouts` with random weights, small enough to take a second or two."""

from typing import Any

import timm
import torch
import torchvision
import transformers
from torch import nn

from benchmarks.layout_networks import Subject
from worker.weights.architectures import build

CLASSES = 6


def made(subject: Subject, spread: float) -> nn.Module:
    """With random weights that let cells say different things."""
    torch.manual_seed(1)
    name, size, options = subject.name, subject.size, subject.options
    if subject.library == "timm":
        network: nn.Module = timm.create_model(name, num_classes=CLASSES, **options)
    elif subject.library == "transformers":
        network = made_by_transformers(f"{name}ForImageClassification", options)
    else:
        more = {"image_size": size} if name.startswith("vit") else {}
        network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **more)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else spread))
    if subject.library == "transformers":
        settle(network, size)
    return network.eval()


def made_by_transformers(name: str, options: dict[str, Any]) -> nn.Module:
    """As a worker builds it, with the weights that the library begins with."""
    kind = getattr(transformers, name)
    weights = kind(kind.config_class(**options, num_labels=CLASSES)).state_dict()
    return build(f"transformers/{name}", weights, options)


def settle(network: nn.Module, size: int) -> None:
    """Batch norms as of some images: without, those of transformers' start leave nothing to see in deep networks."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, 3, size, size))
