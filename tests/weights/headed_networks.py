"""Networks with classifiers of their owners', and as an audit builds them anew."""

import io
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from app.domain.models.heads import Head
from tests.weights.weight_files import saved
from worker.weights.architectures import build
from worker.weights.fitting import FittedWeights
from worker.weights.loading import canonical_parts, read_canonical

SEQUENTIAL, LINEAR = nn.Sequential, nn.Linear


def with_head(name: str, place: str, head: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    network: nn.Module = torchvision.models.get_model(name, weights=None)
    network.set_submodule(place, head)
    return used(network)


def used(network: nn.Module) -> nn.Module:
    """With statistics and biases as training leaves them."""
    for part in network.modules():
        if isinstance(part, nn.BatchNorm1d):
            nn.init.normal_(part.get_buffer("running_mean"))
            nn.init.uniform_(part.get_buffer("running_var"), 0.5, 2)
    return network.eval()


class Wrapper(nn.Module):
    """A network without its classifier, and the owner's own beside it."""

    def __init__(self, backbone: nn.Module, place: str, **head: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.backbone.set_submodule(place, nn.Identity())
        for name, part in head.items():
            setattr(self, name, part)
        self.layers = list(head)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.backbone(images)
        for name in self.layers:
            features = self.get_submodule(name)(features)
        return features


def wrapped(name: str, place: str, **head: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    return used(Wrapper(torchvision.models.get_model(name, weights=None), place, **head))


def file_of(network: nn.Module) -> bytes:
    return saved(network.state_dict())


def rebuilt(found: FittedWeights) -> nn.Module:
    """As an audit builds it: from the canonical file."""
    module = build(found.architecture, found.weights, head=found.head)
    canonical = io.BytesIO(b"".join(canonical_parts(dict(module.state_dict()))))
    stored = found.head and Head.model_validate_json(found.head.model_dump_json())
    return build(found.architecture, read_canonical(canonical), head=stored)


def assert_same_outputs(found: FittedWeights, network: nn.Module, side: int = 64) -> None:
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        assert torch.equal(rebuilt(found)(images), network(images))


RELU, DROPOUT = "relu", {"dropout": 0.5}


def declared(layers: list[Any]) -> Head:
    return Head.model_validate({"layers": layers})
