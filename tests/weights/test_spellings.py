"""Files of other libraries for the same networks: their outputs, from the libraries themselves where they are there."""

import importlib
from math import ceil

import pytest
import timm
import torch
import torchvision
from timm.layers.padding import get_same_padding
from torch import nn

from app.domain.models.levels import Channels
from app.domain.models.preprocessing import Preprocessing
from app.errors import InputFailure
from tests.weights.weight_files import fitted, saved
from worker.salience.input_channels import input_channels
from worker.weights.architectures import build
from worker.weights.channels import check_channels
from worker.weights.fitting import FittedWeights
from worker.weights.spellings import STATICALLY_PADDED
from worker.weights.static_padding import STAGES, check_padding

ROUNDING = 5e-9
"""Of outputs of 0.02: the order of sums makes differences of 5e-10, another padding such of 3e-8 and more."""


def used(network: nn.Module) -> nn.Module:
    """With statistics that keep differences visible to the end."""
    torch.manual_seed(2)
    network.train()
    with torch.no_grad():
        for _ in range(3):
            network(torch.randn(4, 3, 96, 96))
    return network.eval()


def largest_difference(found: FittedWeights, network: nn.Module, size: int) -> float:
    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        return float((build(found.architecture, found.weights)(images) - network(images)).abs().max())


def is_taken(found: FittedWeights, size: int) -> bool:
    try:
        check_padding(found.match.library, found.architecture, size)
    except InputFailure:
        return False
    return True


@pytest.mark.integration
@pytest.mark.needs(module="efficientnet_pytorch", get="pip install --no-deps efficientnet_pytorch==0.7.1")
@pytest.mark.parametrize("name", ["b0", "b1"])
def test_efficientnet_pytorch(name: str) -> None:
    """Equal but for rounding, which the number of threads decides, where the padding is; else the size is refused."""
    library = importlib.import_module("efficientnet_pytorch")
    network = used(library.EfficientNet.from_name(f"efficientnet-{name}", num_classes=2))
    found = fitted(saved(network.state_dict()), f"efficientnet-{name}")
    assert found.architecture == f"timm/tf_efficientnet_{name}"
    for size in (64, 224, 240, 256):
        assert (largest_difference(found, network, size) < ROUNDING) == is_taken(found, size), size


@pytest.mark.integration
@pytest.mark.needs(module="pretrainedmodels", get="pip install --no-deps pretrainedmodels==0.7.4 munch==4.0.0")
@pytest.mark.parametrize("name", ["resnet18", "alexnet", "vgg11", "densenet121", "se_resnet50", "xception"])
def test_pretrainedmodels(name: str) -> None:
    library = importlib.import_module("pretrainedmodels")
    network = vars(library)[name](num_classes=1000, pretrained=None).eval()
    found = fitted(saved(network.state_dict()), name)
    assert largest_difference(found, network, 299 if name == "xception" else 224) < 1e-5


def test_static_padding_is_timm_s_at_some_sizes() -> None:
    """By timm's own formula, at every stage of every network."""
    for name, own in {"b0": 224, "b1": 240, "b2": 260, "b4": 380}.items():
        for size in range(32, 420, 7):
            asked = (STATICALLY_PADDED, f"timm/tf_efficientnet_{name}", size)
            equal = all(
                get_same_padding(mine, kernel, 2, 1) == get_same_padding(theirs, kernel, 2, 1)
                for mine, theirs in zip(stages(size), stages(own), strict=True)
                for kernel in (3, 5)
            )
            if equal:
                check_padding(*asked)
            else:
                with pytest.raises(InputFailure, match=f"input_size of {own}"):
                    check_padding(*asked)
    check_padding(None, "timm/tf_efficientnet_b1", 224)


def stages(size: int) -> list[int]:
    sizes = [size]
    while len(sizes) < STAGES:
        sizes.append(ceil(sizes[-1] / 2))
    return sizes


def test_grey_networks() -> None:
    """Of both libraries, whether in_chans says so or the first convolution was put in; images must be grey too."""
    torch.manual_seed(2)
    with_option = timm.create_model("resnet18", num_classes=2, in_chans=1).eval()
    put_in = torchvision.models.densenet121(num_classes=2)
    put_in.features.conv0 = nn.Conv2d(1, 64, 7, 2, 3, bias=False)
    images = torch.rand(2, 1, 64, 64)
    asked = Preprocessing(input_size=64, mean=(0.5,), std=(0.5,), channels=Channels.GREY)
    for name, network, options in (
        ("timm/resnet18", with_option, {}),
        ("timm/resnet18", with_option, {"in_chans": 1}),
        ("densenet121", put_in.eval(), {}),
    ):
        mine = build(name, network.state_dict(), options)
        with torch.no_grad():
            assert torch.equal(mine(images), network(images))
        check_channels(input_channels(mine), asked)
        with pytest.raises(InputFailure, match=r'says "channels": "rgb".*"channels": "grey"'):
            check_channels(input_channels(mine), Preprocessing(input_size=64, mean=(0.5,), std=(0.5,)))
        with pytest.raises(InputFailure, match="has 3 means"):
            check_channels(input_channels(mine), asked.model_copy(update={"mean": (0.5,) * 3}))
    check_channels(3, asked)


def test_other_arguments_of_the_builder() -> None:
    """A shape that does not fit is told with the options that there are; with them it fits, its replaced head too."""
    network = timm.create_model("vit_tiny_patch16_224", num_classes=2, img_size=64).eval()
    with pytest.raises(InputFailure, match="architecture_options; it has: img_size"):
        build("timm/vit_tiny_patch16_224", network.state_dict())
    pooled = timm.create_model("resnet18", global_pool="catavgmax").eval()
    pooled.fc = nn.Sequential(nn.Dropout(), nn.Linear(1024, 2)).eval()
    options = {"global_pool": "catavgmax"}
    found = fitted(saved(pooled.state_dict()), "timm/resnet18", options=options)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(build(found.architecture, found.weights, options, found.head)(images), pooled(images))
