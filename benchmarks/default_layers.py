"""Where salience is taken by default in 123 networks of torchvision and timm, and whether that is the right place.

    python -m benchmarks.default_layers [NAME ...]

A network without a place is refused with its candidates; that is told, and no fault. A fault is a default layer that
is not the last feature map: one whose rows are not the batch's images, or after which an image still gets into the
logits although every image was given the same feature map.
"""

import sys
from dataclasses import dataclass

import timm
import torch
import torchvision
from torch import Tensor, nn

from app.errors import InputFailure
from worker.salience.hook import TargetHook
from worker.weights.probe import probe

CLASSES = 5
SIZES = {"inception_v3": 299, "timm/inception_v3": 299, "timm/inception_v4": 299}
SEVERAL_HEADS = frozenset({"timm/efficientvim_m1", "timm/efficientvim_m2"})
"""Their logits add up heads on several stages: the last feature map is one of them."""
RESIDUAL = frozenset({"vit_b_32", "timm/vit_tiny_patch16_224"})
"""Their salience is taken at what the last block's attention reads, which the residual passes by."""

TORCHVISION = """
alexnet convnext_tiny convnext_small densenet121 densenet161 densenet169 densenet201 efficientnet_b0
efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_v2_s googlenet inception_v3 maxvit_t mnasnet0_5
mnasnet0_75 mnasnet1_0 mnasnet1_3 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_1_6gf
regnet_x_3_2gf regnet_x_400mf regnet_x_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_400mf regnet_y_800mf
resnet101 resnet152 resnet18 resnet34 resnet50 resnext50_32x4d shufflenet_v2_x0_5 shufflenet_v2_x1_0
shufflenet_v2_x1_5 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 swin_t swin_v2_t vgg11 vgg11_bn vgg13 vgg16
vgg19_bn vit_b_32 wide_resnet50_2
"""
TIMM = """
resnet18 resnet50 resnet26d resnetv2_50 resnext50_32x4d seresnet50 ecaresnet26t skresnet18 resnest14d
res2net50_26w_4s cspresnet50 cspdarknet53 darknet53 dla34 dla60 dpn68 densenet121 hrnet_w18_small
ese_vovnet19b_dw selecsls42b inception_v3 inception_v4 legacy_xception xception41 regnetx_002 regnety_002
regnetz_b16 efficientnet_b0 tf_efficientnet_lite0 tf_efficientnetv2_b0 mixnet_s mobilenetv1_100 mobilenetv2_100
mobilenetv3_small_100 mobilenetv4_conv_small mobilenetv4_hybrid_medium mnasnet_100 fbnetc_100 fbnetv3_b
spnasnet_100 ghostnet_100 ghostnetv2_100 hardcorenas_a lcnet_050 tinynet_a rexnet_100 repvgg_a0 repghostnet_050
mobileone_s0 hgnet_tiny hgnetv2_b0 nfnet_l0 vgg11 convnext_atto convnextv2_atto inception_next_atto
edgenext_xx_small fastvit_t8 starnet_s1 rdnet_tiny repvit_m0_9 efficientvim_m1 efficientformer_l1
efficientformerv2_s0 mobilevit_xxs mobilevitv2_050 poolformer_s12 maxvit_tiny_tf_224 coatnet_0_rw_224 levit_128s
swin_tiny_patch4_window7_224 vit_tiny_patch16_224
"""
NAMES = (*TORCHVISION.split(), *(f"timm/{name}" for name in TIMM.split()))


@dataclass(frozen=True)
class Found:
    """What came of one network; ``fault`` says what is wrong with its default layer."""

    name: str
    layer: str
    fault: str | None = None


def made(name: str) -> nn.Module:
    """With random weights; biases and norms too, so that nothing is zero throughout."""
    torch.manual_seed(1)
    if name.startswith("timm/"):
        network: nn.Module = timm.create_model(name.removeprefix("timm/"), num_classes=CLASSES)
    else:
        options = {"init_weights": True, "aux_logits": False} if name in {"googlenet", "inception_v3"} else {}
        network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.rand_like(parameter) * 0.1)
    return network.eval()


def look(name: str) -> Found:
    """The default layer of one network, and whether all that an image says passes through it."""
    size = SIZES.get(name, 224)
    network = made(name)
    try:
        found = probe(network, input_size=size, target_layer=None)
    except InputFailure as refusal:
        return Found(name, f"refused: {refusal.code}")
    hook = TargetHook(network, input_size=size)
    images = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    seen: list[Tensor] = []

    def same_for_all(arriving: Tensor) -> Tensor:
        seen.append(arriving)
        return arriving[:1].expand_as(arriving).clone()

    with torch.no_grad():
        logits = hook.run(images, same_for_all)
    shown = f"{found.target_layer} {found.map_channels}x{found.map_height}x{found.map_width}"
    if seen[0].shape != (2, found.map_channels, found.map_height, found.map_width):
        return Found(name, shown, f"the target has the shape {list(seen[0].shape)}")
    if name not in SEVERAL_HEADS | RESIDUAL and not torch.allclose(logits[0], logits[1], rtol=1e-4, atol=1e-5):
        return Found(name, shown, "an image reaches the logits by another way")
    return Found(name, shown)


def main() -> int:
    results = []
    for name in sys.argv[1:] or NAMES:
        found = look(name)
        results.append(found)
        print(f"{found.name:40} {found.layer:50} {found.fault or ''}", flush=True)
    faults = [found for found in results if found.fault]
    refused = [found for found in results if found.layer.startswith("refused")]
    print(
        f"{len(results)} networks: {len(results) - len(refused)} with a layer, "
        f"{len(refused)} refused, {len(faults)} wrong"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
