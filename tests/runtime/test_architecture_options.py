"""What no tensor shows: options of builders, those of published weights, and what is refused."""

from typing import Any

import pytest
import timm
import torch
import torchvision
from torch import nn

from app.errors import InputFailure
from worker.weights.architectures import build
from worker.weights.options import HALVES, IMAGENET, published_options, shown_options


def timms(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(4)
    network: nn.Module = timm.create_model(name, num_classes=3, **options).eval()
    return network


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("resnet18", {"global_pool": "max"}, 64),
        ("resnet18", {"act_layer": "silu", "output_stride": 16}, 64),
        ("vit_tiny_patch16_224", {"img_size": 64, "num_heads": 1}, 64),
    ],
)
def test_options_change_what_is_computed(name: str, options: dict[str, Any], size: int) -> None:
    mine = timms(name, **options)
    found = build(f"timm/{name}", mine.state_dict(), options)
    images = torch.randn(2, 3, size, size)
    assert torch.equal(found(images), mine(images))
    if "img_size" not in options:
        assert not torch.allclose(build(f"timm/{name}", mine.state_dict())(images), mine(images))


def test_torchvision_calls_it_otherwise() -> None:
    torch.manual_seed(4)
    mine = torchvision.models.vit_b_32(image_size=64, num_classes=3).eval()
    with torch.no_grad():
        mine.heads[0].weight.normal_()  # torchvision begins with a head of zeros
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(build("vit_b_32", mine.state_dict(), {"img_size": 64})(images), mine(images))


def test_transform_input_as_in_the_published_weights() -> None:
    """With ImageNet's range the network transforms; where the images come transformed it must not once more."""
    torch.manual_seed(4)
    mine = torchvision.models.googlenet(num_classes=3, aux_logits=False, init_weights=False).eval()
    mine.transform_input = True
    raw = torch.rand(2, 3, 64, 64)
    outputs = []
    for pair in (IMAGENET, HALVES):
        options = {name: value for name, (value, _) in published_options("googlenet", {}, pair).items()}
        mean, std = (torch.tensor(one).view(3, 1, 1) for one in pair)
        outputs.append(build("googlenet", mine.state_dict(), options)((raw - mean) / std))
    normal = (raw - torch.tensor(IMAGENET[0]).view(3, 1, 1)) / torch.tensor(IMAGENET[1]).view(3, 1, 1)
    assert torch.equal(outputs[0], mine(normal))
    torch.testing.assert_close(outputs[0], outputs[1], rtol=1e-4, atol=1e-5)
    assert published_options("torchvision/inception_v3", {}, IMAGENET)["transform_input"][0] is True
    assert published_options("inception_v3", {"transform_input": False}, IMAGENET) == {}
    assert published_options("timm/inception_v3", {}, IMAGENET) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet18", {"global_pool": "avg"}),
        ("vit_tiny_patch16_224", {"global_pool": "token"}),
        ("convnext_atto", {"global_pool": "avg"}),
    ],
)
def test_what_the_architecture_itself_says_is_shown(name: str, expected: dict[str, str]) -> None:
    assert {key: value for key, (value, _) in shown_options(timms(name), {}).items()} == expected
    assert shown_options(timms(name), expected) == {}


@pytest.mark.parametrize(
    ("architecture", "options", "told"),
    [
        ("resnet18", {"transform_input": True}, "no option 'transform_input'. It has: "),
        ("timm/resnet18", {"checkpoint_path": "/etc/passwd"}, "no option 'checkpoint_path'"),
        ("timm/resnet18", {"pretrained": True}, "no option 'pretrained'"),
        ("timm/resnet18", {"num_classes": 5}, "no option 'num_classes'"),
        ("timm/resnet18", {"act_layer": "os.system"}, "is not true or false"),
        ("timm/resnet18", {"output_stride": 10**9}, "is not true or false"),
        ("timm/resnet18", {"global_pool": "nonsense"}, "its builder refuses"),
        ("timm/resnet18", {"act_layer": "nonsense"}, "its builder refuses"),
        ("timm/resnet18", {"in_chans": 4}, "images come as three channels, or grey as one"),
    ],
)
def test_refused(architecture: str, options: dict[str, Any], told: str) -> None:
    weights = timms("resnet18").state_dict()
    with pytest.raises(InputFailure) as caught:
        build(architecture, weights, options)
    assert caught.value.code == "architecture-options-invalid"
    assert told in caught.value.detail
