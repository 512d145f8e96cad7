"""Maps against TorchCAM, Captum, pytorch-grad-cam and a float64 network, end to end on real photographs."""

from copy import deepcopy

import numpy as np
import torch
from captum.attr import LayerGradCam
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import Tensor, nn
from torch.nn.functional import relu
from torchcam.methods import GradCAM as TorchCam

from tests.salience.conftest import SIDE
from worker.salience.extraction import Extraction, SalienceExtractor
from worker.salience.hook import TargetHook
from worker.salience.methods import gradcam

TOLERANCE = 2e-5
# What float32 itself loses in fifty layers of random weights: no tool is closer to float64 than that.
ROUNDING = 1e-4
NAMES = {
    "resnet18": "layer4",
    "shufflenet_v2_x0_5": "conv5",
    "mobilenet_v3_small": "features",
    "efficientnet_b0": "features",
    "squeezenet1_1": "classifier.2",
    "vgg11": "avgpool",
    "densenet121": "features",
    "swin_t": "norm",
}


def min_max(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    assert bool((high > low).all()), "a constant map proves nothing"
    return (maps - low) / (high - low)


def ours(network: nn.Module, images: Tensor) -> tuple[Extraction, Tensor]:
    extraction = SalienceExtractor(TargetHook(network, input_size=SIDE)).extract(images)
    return extraction, min_max(gradcam(extraction.activation, extraction.gradient))


def difference(found: Tensor, expected: Tensor) -> float:
    return float((found.double() - expected.double()).abs().max())


def out_of_place(network: nn.Module) -> nn.Module:
    twin = deepcopy(network)
    for part in twin.modules():
        if "inplace" in vars(part):
            vars(part)["inplace"] = False
    return twin


def hookable(name: str, network: nn.Module) -> tuple[nn.Module, str]:
    """The network and the layer at which the other tools can be hooked.

    DenseNet applies its last ReLU by a function, in place, to what ``features`` put out: hooks on ``features`` read a
    tensor that is overwritten afterwards, so the others get the same network with that ReLU as a module. Swin's last
    norm puts out NHWC, which the next module only turns.
    """
    if name == "swin_t":
        return network, "permute"
    if name != "densenet121":
        return network, NAMES[name]
    features, classifier = network.get_submodule("features"), network.get_submodule("classifier")
    return nn.Sequential(features, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), classifier), "1"


def test_layer_is_named_by_tracing(network: tuple[str, nn.Module]) -> None:
    name, module = network
    assert TargetHook(module, input_size=SIDE).layer.name == NAMES[name]


def test_float64_full_graph(network: tuple[str, nn.Module], photograph: Tensor) -> None:
    """Of one photograph: double precision is slow, most of all in depthwise convolutions."""
    name, module = network
    _, rounded = ours(module, photograph)
    extraction, maps = ours(deepcopy(module).double(), photograph.double())
    twin = out_of_place(module).double()
    twin, layer = hookable(name, twin)
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        kept.append(output)

    twin.get_submodule(layer).register_forward_hook(keep)
    logits = twin(photograph.double())
    logits.gather(1, extraction.predicted.view(-1, 1)).sum().backward()
    gradient = kept[0].grad
    assert gradient is not None
    expected = relu((kept[0] * gradient.mean((2, 3), keepdim=True)).sum(1)).detach()
    assert torch.equal(extraction.predicted, logits.argmax(1))
    assert difference(maps, min_max(expected)) < 1e-10
    assert difference(rounded, min_max(expected)) < ROUNDING


def test_captum(network: tuple[str, nn.Module], photographs: Tensor) -> None:
    extraction, maps = ours(network[1], photographs)
    module, layer = hookable(*network)
    cam = LayerGradCam(module, module.get_submodule(layer))
    attribution = cam.attribute(photographs, extraction.predicted, relu_attributions=False)
    assert difference(maps, min_max(relu(attribution[:, 0]).detach())) < TOLERANCE


def test_torchcam(network: tuple[str, nn.Module], photographs: Tensor) -> None:
    extraction, maps = ours(network[1], photographs)
    module, layer = hookable(*network)
    with TorchCam(module, layer) as cam:
        expected = cam(extraction.predicted.tolist(), module(photographs), normalized=False)[0]
    assert difference(maps, min_max(expected)) < TOLERANCE


def test_pytorch_grad_cam(network: tuple[str, nn.Module], photographs: Tensor) -> None:
    extraction, maps = ours(network[1], photographs)
    module, name = hookable(*network)
    layer = module.get_submodule(name)
    targets = [ClassifierOutputTarget(index) for index in extraction.predicted.tolist()]
    with GradCAM(module, [layer]) as cam:
        cam(photographs, targets)
        seen = cam.activations_and_grads
        raw = cam.get_cam_image(photographs, layer, targets, seen.activations[0].numpy(), seen.gradients[0].numpy())
    expected = torch.from_numpy(np.maximum(raw, 0))
    assert difference(maps, min_max(expected)) < TOLERANCE
