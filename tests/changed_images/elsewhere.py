"""A system that the service never sees: torch and pytorch-grad-cam in a process of their own, PNGs in, arrays out.

Called with the recipe. Each line that it reads is a round: JSON, for each network the folder that its images were
unpacked into, its weights, and the folder that its maps go to. Maps that are there already are not made again. It
writes a line when a round is done.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from safetensors.torch import load_file
from torchvision.models import shufflenet_v2_x0_5
from torchvision.transforms.functional import normalize, to_tensor


def explain(images: Path, weights: Path, maps: Path, mean: list[float], std: list[float]) -> None:
    """The map of each image for the class that is predicted for it."""
    network = shufflenet_v2_x0_5(num_classes=2)
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    lines = [json.loads(line) for file in sorted(images.glob("views-*.jsonl")) for line in file.open()]
    with GradCAM(network.eval(), [network.conv5]) as cam:
        for line in lines:
            if (maps / line["map"]).exists():
                continue
            pixels = normalize(to_tensor(Image.open(images / line["path"])), mean, std)[None]
            predicted = int(network(pixels).argmax())
            cam(pixels, [ClassifierOutputTarget(predicted)])
            (activation,), (gradient,) = cam.activations_and_grads.activations, cam.activations_and_grads.gradients
            raw = (gradient.mean((2, 3), keepdim=True) * activation).sum(1)[0].relu()
            (maps / line["map"]).parent.mkdir(parents=True, exist_ok=True)
            np.save(maps / line["map"], raw.numpy())


if __name__ == "__main__":
    torch.set_num_threads(1)
    recipe = json.loads(Path(sys.argv[1]).read_text())["preprocessing"]
    for line in sys.stdin:
        for own_images, own_weights, own_maps in json.loads(line):
            explain(Path(own_images), Path(own_weights), Path(own_maps), recipe["mean"], recipe["std"])
        sys.stdout.write("done\n")
        sys.stdout.flush()
