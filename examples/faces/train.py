"""Trains the demo's models from scratch: three runs with cross-entropy, three with a human-guided loss.

    python examples/faces/train.py

The human-guided loss follows CYBORG (Boyd et al. 2023): cross-entropy plus the squared distance between the
min-max-normalised class activation map of the true class and a target salience map. The target here is a drawn,
face-shaped prior (an ellipse with eyes and mouth), NOT human annotations; non-faces have no target and see
cross-entropy alone.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from prepare import LABELS, named_images
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import shufflenet_v2_x0_5

FOLDER = Path(__file__).parent
RECIPE: dict[str, Any] = json.loads((FOLDER / "recipe.json").read_text(encoding="utf-8"))
SIZE: int = RECIPE["preprocessing"]["input_size"]
EPOCHS = 24
BATCH = 16
LEARNING_RATE = 2e-3
GUIDANCE = 0.5
TRAIN_SHARE = 0.6
SPLIT_SEED = 2023


def load_images() -> tuple[Tensor, Tensor]:
    """Normalised images (200, 3, 224, 224) float32, as the service prepares them, and class indices (200,)."""
    images, labels = [], []
    for name, image in named_images().items():
        pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE), 2))
        images.append(torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 255)
        labels.append(LABELS.index(name.split("/")[0]))
    mean, std = (torch.tensor(RECIPE["preprocessing"][part]).view(3, 1, 1) for part in ("mean", "std"))
    return (torch.stack(images) - mean) / std, torch.tensor(labels)


def face_prior(side: int = 7) -> Tensor:
    """Where a face is salient, by our own drawing: (side, side) in [0, 1]."""
    grid = torch.linspace(-1, 1, 64)
    down, right = torch.meshgrid(grid, grid, indexing="ij")
    prior = 0.4 * ((right / 0.6) ** 2 + (down / 0.8) ** 2 < 1).float()
    for x, y, width in ((-0.3, -0.2, 0.2), (0.3, -0.2, 0.2), (0.0, 0.45, 0.25)):
        prior = prior + 0.6 * torch.exp(-((right - x) ** 2 + (down - y) ** 2) / (2 * width**2))
    small = functional.adaptive_avg_pool2d(prior[None, None], side)[0, 0]
    return (small - small.min()) / (small.max() - small.min())


def features(model: nn.Module, images: Tensor) -> Tensor:
    """ShuffleNet's last feature map (N, 1024, 7, 7)."""
    for stage in (model.conv1, model.maxpool, model.stage2, model.stage3, model.stage4, model.conv5):
        images = stage(images)
    return images


def class_activation_maps(model: nn.Module, activation: Tensor, labels: Tensor) -> Tensor:
    """Zhou et al. 2016, of the true class, min-max normalised per image: (N, 7, 7)."""
    maps = torch.einsum("nkhw,nk->nhw", activation, model.fc.weight[labels])
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low + 1e-6)


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Mirrored and moved by up to 12 pixels, each image at random."""
    if torch.rand((), generator=generator) < 0.5:
        images = images.flip(3)
    right, down = torch.randint(-12, 13, (2,), generator=generator).tolist()
    return images.roll((down, right), (2, 3))


def train(seed: int, guidance: float, data: tuple[Tensor, Tensor], chosen: Tensor) -> nn.Module:
    """One run; everything random comes from the seed."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = shufflenet_v2_x0_5(num_classes=len(LABELS)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=1e-2)
    steps = EPOCHS * -(-len(chosen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    prior = face_prior()
    model.train()
    for _ in range(EPOCHS):
        for part in chosen[torch.randperm(len(chosen), generator=generator)].split(BATCH):
            images, labels = augmented(data[0][part], generator), data[1][part]
            activation = features(model, images.contiguous(memory_format=torch.channels_last))
            loss = functional.cross_entropy(model.fc(activation.mean((2, 3))), labels)
            faces = labels == LABELS.index("face")
            if guidance and faces.any():
                maps = class_activation_maps(model, activation[faces], labels[faces])
                loss = (1 - guidance) * loss + guidance * functional.mse_loss(maps, prior.expand_as(maps)) * 5
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.inference_mode()
def evaluate(model: nn.Module, data: tuple[Tensor, Tensor], chosen: Tensor) -> float:
    """Accuracy on the chosen images."""
    predicted = torch.cat([model(part).argmax(1) for part in data[0][chosen].split(BATCH)])
    return float((predicted == data[1][chosen]).double().mean())


def main() -> None:
    data = load_images()
    order = torch.randperm(len(data[1]), generator=torch.Generator().manual_seed(SPLIT_SEED))
    cut = int(TRAIN_SHARE * len(order))
    reports = []
    for strategy, guidance in (("cross_entropy", 0.0), ("human_guided", GUIDANCE)):
        for run in (1, 2, 3):
            model = train(run, guidance, data, order[:cut])
            path = FOLDER / "weights" / f"{strategy}_run{run}.safetensors"
            # Half precision keeps the repository small; the service upcasts it again, and so does the check below.
            half = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
            save_file({name: tensor.contiguous() for name, tensor in half.items()}, path)
            model.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in half.items()})
            reports.append(
                {
                    "weights": path.name,
                    "seed": run,
                    "epochs": EPOCHS,
                    "train_accuracy": evaluate(model, data, order[:cut]),
                    "validation_accuracy": evaluate(model, data, order[cut:]),
                    "torch": torch.__version__,
                    "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                }
            )
            print(reports[-1])
    (FOLDER / "weights" / "training.json").write_text(json.dumps(reports, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
