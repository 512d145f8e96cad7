"""Networks by name, filled with exactly the weights of an upload."""

from functools import lru_cache

import pytest
import timm
import torch
import torchvision
from torch import Tensor, nn

from app.errors import InputFailure
from worker.weights.architectures import build, build_untrained

StateDict = dict[str, Tensor]

NAMES = (
    "resnet18",
    "shufflenet_v2_x0_5",
    "mobilenet_v3_small",
    "densenet121",
    "squeezenet1_1",
    "mnasnet0_5",
    "regnet_y_400mf",
    "efficientnet_b0",
    "swin_t",
    "swin_v2_t",
)


def random_weights(network: nn.Module) -> StateDict:
    torch.manual_seed(1)
    weights = network.state_dict()
    return {name: torch.rand_like(tensor) if tensor.is_floating_point() else tensor for name, tensor in weights.items()}


def fill(network: nn.Module, weights: StateDict) -> None:
    """By torch itself, with the version marks that a state_dict has and a file has not."""
    complete = network.state_dict()
    complete.update(weights)
    network.load_state_dict(complete)
    network.eval()


@lru_cache(maxsize=1)
def resnet(classes: int = 3) -> StateDict:
    """Made once for tests that follow each other: nobody changes them, and one is 45 MB."""
    return random_weights(torchvision.models.resnet18(weights=None, num_classes=classes))


def refusal(architecture: str, weights: StateDict) -> InputFailure:
    with pytest.raises(InputFailure) as caught:
        build(architecture, weights)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_torchvision(name: str) -> None:
    expected = torchvision.models.get_model(name, weights=None, num_classes=3)
    weights = random_weights(expected)
    fill(expected, weights)
    found = build(name, weights)
    images = torch.randn(2, 3, 64, 64)
    assert not any(part.training for part in found.modules())
    assert not any(tensor.is_meta for tensor in (*found.parameters(), *found.buffers()))
    assert found.state_dict().keys() == weights.keys()
    assert all(torch.equal(weights[key], tensor) for key, tensor in found.state_dict().items())
    with torch.no_grad():
        torch.testing.assert_close(found(images), expected(images), equal_nan=True)
    assert found(images).shape == (2, 3)


@pytest.mark.parametrize("name", ["shufflenet_v2_x0_5", "mnasnet0_5", "swin_t", "timm/resnet10t"])
def test_untrained(name: str) -> None:
    """The weights with which the library itself begins, under the same seed; nobody else's dice are moved."""
    library, _, own = name.rpartition("/")
    torch.manual_seed(3)
    made = timm.create_model if library else torchvision.models.get_model
    expected = made(own, num_classes=3).state_dict()
    given = random_weights(build(name, expected))
    before = torch.get_rng_state()
    found = build_untrained(name, given, {}, None, 3)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in found.modules())
    assert found.state_dict().keys() == expected.keys()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in found.state_dict().items())


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small"])
def test_dropout_is_off(name: str) -> None:
    network = build(name, random_weights(torchvision.models.get_model(name, weights=None, num_classes=3)))
    assert any(isinstance(part, nn.Dropout) for part in network.modules())
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(network(images), network(images))


@pytest.mark.parametrize("classes", [1, 2, 10, 1000])
def test_any_number_of_classes(classes: int) -> None:
    head = build("resnet18", resnet(classes)).fc
    assert isinstance(head, nn.Linear)
    assert head.out_features == classes


@pytest.mark.parametrize("auxiliary", [False, True])
@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_auxiliary_heads(name: str, auxiliary: bool) -> None:  # noqa: FBT001
    options = {"weights": None, "num_classes": 4, "init_weights": False, "aux_logits": auxiliary}
    weights = random_weights(torchvision.models.get_model(name, **options))
    assert build(name, weights)(torch.randn(2, 3, 299, 299)).shape == (2, 4)


@pytest.mark.parametrize(
    "name", ["timm/resnet18", "timm/mobilenetv3_small_050", "efficientnet_lite0", "timm/swin_tiny_patch4_window7_224"]
)
def test_timm(name: str) -> None:
    expected = timm.create_model(name.removeprefix("timm/"), pretrained=False, num_classes=3)
    weights = random_weights(expected)
    fill(expected, weights)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(build(name, weights)(images), expected(images), equal_nan=True)


@pytest.mark.parametrize(
    "name",
    ["", "timm/", "lenet5", "hf-hub:someone/resnet18", "timm/hf-hub:timm/resnet18", "local-dir:/tmp", "../resnet18",
     "timm/../resnet18", "resnet18\n", "resnet", "fcn_resnet50", "ResNet18_Weights", "x" * 10_000],
)  # fmt: skip
def test_unknown_names(name: str) -> None:
    failure = refusal(name, resnet())
    assert failure.code == "model-architecture-unknown"
    assert len(failure.detail) < 1000


def test_missing_unexpected_misshaped_and_mistyped_tensors_are_named() -> None:
    weights = resnet()
    cases = {
        "1 tensor(s) missing from the file, the first 'layer1.0.conv1.weight'": {
            name: tensor for name, tensor in weights.items() if name != "layer1.0.conv1.weight"
        },
        "1 tensor(s) in the file, but not in the architecture, the first 'extra'": weights | {"extra": torch.ones(1)},
        "1 tensor(s) of another shape, the first 'bn1.bias' (expected [64] torch.float32, found [65]": weights
        | {"bn1.bias": torch.ones(65)},
        "1 tensor(s) of another type, the first 'bn1.bias'": weights | {"bn1.bias": torch.ones(64, dtype=torch.int8)},
        "'fc.weight' is missing or empty": weights | {"fc.weight": torch.empty(2**55, 0)},
        "'fc.weight' is missing": {name: tensor for name, tensor in weights.items() if name != "fc.weight"},
        "tensor(s) missing from the file": {"fc.weight": torch.ones(3, 512)},
        "of another shape, the first 'fc.weight'": weights | {"fc.weight": torch.ones(3)},
    }
    for detail, changed in cases.items():
        failure = refusal("resnet18", changed)
        assert failure.code == "model-architecture-mismatch"
        assert detail in failure.detail


def test_hostile_names_stay_harmless() -> None:
    failure = refusal("resnet18", resnet() | {"\x00\u202e/../" + "x" * 5000: torch.ones(1)})
    assert failure.code == "model-architecture-mismatch"
    assert "\x00" not in failure.detail
    assert "\u202e" not in failure.detail
    assert len(failure.detail) < 1000


def test_scalar_in_place_of_the_head() -> None:
    assert refusal("resnet18", resnet() | {"fc.weight": torch.tensor(1.0)}).code == "model-architecture-mismatch"


def test_half_precision_is_upcast() -> None:
    weights = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in resnet().items()}
    assert {parameter.dtype for parameter in build("resnet18", weights).parameters()} == {torch.float32}


def test_files_without_batch_counters() -> None:
    """As torchvision's own ResNets and DenseNets are published."""
    weights = {name: tensor for name, tensor in resnet().items() if "num_batches" not in name}
    assert build("resnet18", weights).get_buffer("bn1.num_batches_tracked").dtype is torch.int64


def test_weights_are_not_copied() -> None:
    weights = resnet()
    found = build("resnet18", weights).get_parameter("conv1.weight")
    assert found.data_ptr() == weights["conv1.weight"].data_ptr()
