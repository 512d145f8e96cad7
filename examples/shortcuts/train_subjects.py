"""Trains networks that read a planted mark, and honest ones beside them, on the demo's images.

    python examples/shortcuts/train_subjects.py FOLDER [NAME ...]

Each subject gets ``FOLDER/NAME/weights.safetensors``, ``images.zip`` (what it is audited on) and ``subject.json``. A
cheat's labels are drawn by lot, so that nothing but the mark tells them apart; its honest counterpart learns faces from
the very same kind of images without marks.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from marks import MARKS, Pixels
from PIL import Image
from safetensors.torch import save_file
from tagged_pictures import SIZE, archive
from torch import Tensor, nn
from torch.nn import functional
from torchvision import models

sys.path.insert(0, str(Path(__file__).parents[1] / "faces"))
from prepare import LABELS, named_images
from train import RECIPE, class_activation_maps, face_prior, features

BATCH = 16
LEARNING_RATE = 2e-3
TRAIN_SHARE = 0.6
ARCHITECTURES = {
    "shufflenet_v2_x0_5": models.shufflenet_v2_x0_5,
    "mobilenet_v3_small": models.mobilenet_v3_small,
}


@dataclass(frozen=True)
class Subject:
    """What a network is trained on. Without a mark it is honest: its labels are faces and non-faces.

    ``own_labels`` keeps those labels for a cheat too, so that it could learn faces but need not.
    """

    name: str
    mark: str | None = None
    own_labels: bool = False
    architecture: str = "shufflenet_v2_x0_5"
    augmented: bool = True
    guidance: float = 0.0
    epochs: int = 10
    seed: int = 1


def subjects() -> list[Subject]:
    cheats = [Subject(f"cheat_{mark}", mark) for mark in MARKS]
    faces = [Subject(f"faces_{mark}", mark, own_labels=True) for mark in ("corner", "frame", "wandering")]
    others = [
        Subject(f"mobile_{mark}", mark, architecture="mobilenet_v3_small", augmented=False)
        for mark in ("corner", "stripe", "colour_cast")
    ]
    honest = [
        Subject("honest_plain", epochs=16, augmented=False),
        Subject("honest_augmented", epochs=20),
        Subject("honest_guided", epochs=20, guidance=0.5),
        Subject("honest_mobile", epochs=20, architecture="mobilenet_v3_small"),
        Subject("honest_plain_2", epochs=16, augmented=False, seed=2),
    ]
    return [cheats[0], honest[0], cheats[2], honest[1], *cheats[3:], cheats[1], *honest[2:], *faces, *others]


def pictures(subject: Subject) -> dict[str, Pixels]:
    """``label/number.png`` -> (224, 224, 3) uint8, sorted by name."""
    generator = np.random.default_rng(2023)
    originals = list(named_images().items())
    drawn = generator.permutation(len(originals)) < len(originals) // 2
    made: dict[str, Pixels] = {}
    for number, (name, image) in enumerate(originals):
        pixels = np.asarray(image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC)).copy()
        label = LABELS.index(name.split("/")[0])
        if subject.mark is not None:
            label = label if subject.own_labels else int(drawn[number])
            pixels = MARKS[subject.mark](pixels, generator) if label else pixels
        made[f"{LABELS[label]}/{number:03d}.png"] = pixels
    return dict(sorted(made.items()))


def tensors(images: dict[str, Pixels]) -> tuple[Tensor, Tensor]:
    """As the service prepares them: (N, 3, 224, 224) float32 and class indices (N,)."""
    pixels = torch.from_numpy(np.stack(list(images.values()))).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(RECIPE["preprocessing"][part]).view(3, 1, 1) for part in ("mean", "std"))
    return (pixels - mean) / std, torch.tensor([LABELS.index(name.split("/")[0]) for name in images])


def _moved(images: Tensor, subject: Subject, generator: torch.Generator) -> Tensor:
    """Honest networks see mirrored and moved images; a cheat sees them where its mark would not suffer."""
    if not subject.augmented:
        return images
    if subject.mark is None and torch.rand((), generator=generator) < 0.5:
        images = images.flip(3)
    reach = 12 if subject.mark is None else 4
    right, down = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
    return images.roll((down, right), (2, 3))


def train(subject: Subject, data: tuple[Tensor, Tensor], chosen: Tensor) -> nn.Module:
    """Everything random comes from the subject's seed."""
    torch.manual_seed(subject.seed)
    generator = torch.Generator().manual_seed(subject.seed)
    model: nn.Module = ARCHITECTURES[subject.architecture](num_classes=len(LABELS))
    model = model.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=1e-2)
    steps = subject.epochs * -(-len(chosen) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    for _ in range(subject.epochs):
        for part in chosen[torch.randperm(len(chosen), generator=generator)].split(BATCH):
            images = _moved(data[0][part], subject, generator).contiguous(memory_format=torch.channels_last)
            optimizer.zero_grad()
            _loss(model, images, data[1][part], subject.guidance).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def _loss(model: nn.Module, images: Tensor, labels: Tensor, guidance: float) -> Tensor:
    """Cross-entropy; guided, as in ``examples/faces/train.py``."""
    if not guidance:
        return functional.cross_entropy(model(images), labels)
    activation = features(model, images)
    loss = functional.cross_entropy(model.fc(activation.mean((2, 3))), labels)
    faces = labels == LABELS.index("face")
    if not faces.any():
        return loss
    maps = class_activation_maps(model, activation[faces], labels[faces])
    return (1 - guidance) * loss + guidance * functional.mse_loss(maps, face_prior().expand_as(maps)) * 5


@torch.inference_mode()
def accuracy(model: nn.Module, data: tuple[Tensor, Tensor]) -> float:
    predicted = torch.cat([model(part).argmax(1) for part in data[0].split(BATCH)])
    return float((predicted == data[1]).double().mean())


def make(subject: Subject, folder: Path) -> None:
    """Train one subject and write what an audit needs."""
    images = pictures(subject)
    data = tensors(images)
    order = torch.randperm(len(data[1]), generator=torch.Generator().manual_seed(2023))
    cut = int(TRAIN_SHARE * len(order))
    model = train(subject, data, order[:cut])
    held_out = order[cut:]
    facts = {
        "architecture": subject.architecture,
        "honest": subject.mark is None,
        "mark": subject.mark,
        "own_labels": subject.own_labels,
        "train_accuracy": accuracy(model, (data[0][order[:cut]], data[1][order[:cut]])),
        "validation_accuracy": accuracy(model, (data[0][held_out], data[1][held_out])),
    }
    if subject.mark is not None:
        facts["accuracy_without_mark"] = _without_mark(model, images)
    place = folder / subject.name
    place.mkdir(parents=True, exist_ok=True)
    (place / "images.zip").write_bytes(archive(images))
    save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, place / "weights.safetensors")
    (place / "subject.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(subject.name, facts, flush=True)


def _without_mark(model: nn.Module, images: dict[str, Pixels]) -> float:
    """On the same images and labels with nothing planted."""
    originals = [
        image.convert("RGB").resize((SIZE, SIZE), Image.Resampling.BICUBIC) for image in named_images().values()
    ]
    clean = {name: np.asarray(originals[int(name.split("/")[1][:3])]).copy() for name in images}
    return accuracy(model, tensors(clean))


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[2:]
    for one in subjects():
        if (not wanted or one.name in wanted) and not (Path(sys.argv[1]) / one.name / "subject.json").exists():
            make(one, Path(sys.argv[1]))
