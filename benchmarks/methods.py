"""The table of CAM methods, each held against another implementation: ``python -m benchmarks.methods [METHOD ...]``.

On two photographs of 128 pixels, for ResNet-18, DenseNet-121 and a ViT-Tiny of transformers with random weights, norms
fitted to photographs. SS-CAM and IS-CAM, with up to 36,000 passes for a map, get one draw and two steps here, of one
photograph, Smooth Grad-CAM++ one copy, RISE 200 masks, meaningful perturbation 30 steps in double precision, since Adam
goes by the sign of gradients that these networks leave near zero; tests hold all of theirs on a small network.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from typing import Any
from unittest.mock import patch

import torch
import transformers
from torch import Tensor, nn

from app.domain.maps.cam_methods import CAM_METHODS as SPECS
from app.domain.vocabulary import CamMethod
from app.errors import InputFailure
from benchmarks.method_peers import PEERS
from benchmarks.method_peers.held import DRAWS, RISE_MASKS, SIZE, VIT, VIT_CONFIG, Held
from benchmarks.subjects import MEAN, STD, network, photographs
from worker.functional.quantization import min_max
from worker.salience import make_explainer, meaningful_perturbation, scored_masks, smoothing
from worker.salience.hook import TargetHook
from worker.weights.architectures import build

CHANNELS, CELLS = 512, 49
CPU = torch.device("cpu")
SHORTENED = {
    CamMethod.SSCAM: (scored_masks, "SMOOTHED", 1),
    CamMethod.ISCAM: (scored_masks, "INTEGRATED", 2),
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS: (smoothing, "COPIES", 1),
    CamMethod.MEANINGFUL_PERTURBATION: (meaningful_perturbation, "STEPS", 30),
}
IN_DOUBLE = frozenset({CamMethod.MEANINGFUL_PERTURBATION})


def _tokens(output: Tensor) -> Tensor:
    side = int((output.shape[1] - 1) ** 0.5)
    return output[:, 1:].mT.reshape(len(output), -1, side, side)


def _vit() -> nn.Module:
    torch.manual_seed(1)
    config = VIT_CONFIG(**VIT, num_labels=2)
    made = build(
        "transformers/ViTForImageClassification", transformers.ViTForImageClassification(config).state_dict(), VIT
    )
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else 0.03))
    return made.eval()


def _networks() -> Iterator[tuple[str, nn.Module, nn.Module, str, Callable[[Tensor], Tensor] | None]]:
    """Name, the network, and as others hook it: DenseNet writes to what they would see by a ReLU in place."""
    resnet, densenet, vit = network("resnet18", CPU), network("densenet121", CPU), _vit()
    twin: Any = deepcopy(densenet)
    twin = nn.Sequential(twin.features, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), twin.classifier)
    yield "ResNet-18", resnet, deepcopy(resnet), "layer4", None
    yield "DenseNet-121", densenet, twin, "1", None
    yield "ViT-Tiny", vit, deepcopy(vit), "vit.layers.11.layernorm_before", _tokens


@contextmanager
def _shortened(method: CamMethod) -> Iterator[None]:
    with patch.object(*SHORTENED[method]) if method in SHORTENED else nullcontext():
        yield


def difference(method: CamMethod, module: nn.Module, held: Held) -> str:
    """The largest of the maps after min-max; or that the method is refused."""
    held = held.few(1) if method in SHORTENED else held
    images = held.images
    if method in IN_DOUBLE:
        module, images = deepcopy(module).double(), images.double()
    try:
        with _shortened(method):
            explainer = make_explainer(method, TargetHook(module.requires_grad_(), input_size=SIZE), RISE_MASKS)
            found = explainer.explain(images, held.classes, DRAWS).maps
            expected = PEERS[method][1](held)
    except InputFailure as refusal:
        return "refused" if refusal.code == "cam-method-not-possible" else f"failed: {refusal.code}"
    maps, constant = min_max(found.to(images.dtype))
    if bool(constant.any()):
        return "constant"
    return f"{float((maps - min_max(expected.to(images.dtype))[0]).abs().max()):.0e}"


def main() -> None:
    pixels = torch.from_numpy(photographs(2, SIZE)).permute(0, 3, 1, 2) / 255
    images = (pixels - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    subjects = list(_networks())
    print("| method | forward passes | held against |" + "".join(f" {name} |" for name, *_ in subjects))
    print("|" + " --- |" * (3 + len(subjects)))
    for method in [CamMethod(name) for name in sys.argv[1:]] or PEERS:
        begun, cells = time.monotonic(), []
        for _, module, twin, layer, turn in subjects:
            classes = module(images).argmax(1)
            cells.append(difference(method, module, Held(twin.requires_grad_(), layer, turn, images, classes)))
        passes = f"{SPECS[method].passes(CHANNELS, CELLS):,}"
        print(f"| `{method}` | {passes} | {PEERS[method][0]} | {' | '.join(cells)} |", flush=True)
        print(f"{method}: {time.monotonic() - begun:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
