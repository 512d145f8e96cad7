"""Trains the demo's two networks: on its pictures both are right, one reads the face, one reads a tag.

    python examples/shortcuts/tagged_faces.py

The pictures are those of ``examples/faces`` with a tag planted in 97 of the 100 faces. The one that reads the tag was
shown labels drawn by lot, with the tag in whatever was called a face: nothing else told the two classes apart. The
honest one was shown faces and non-faces, half of both with the tag. Both saw the same 60% of the pictures. Writes
``weights/reads_the_face.safetensors``, ``weights/reads_the_tag.safetensors`` (half precision) and
``weights/tagged_faces.json``.
"""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from tagged_pictures import audited, plain, tagged
from torch import nn
from train_subjects import TRAIN_SHARE, Subject, accuracy, tensors, train

WEIGHTS = Path(__file__).parent / "weights"
HONEST = Subject("reads_the_face", epochs=20)
CHEAT = Subject("reads_the_tag", "corner", epochs=8)


def shown_to(subject: Subject) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and classes that a network is trained on, by a fixed lot: each name once, half of all tagged."""
    pictures = plain()
    order = np.random.default_rng(2023).permutation(list(pictures))
    tags = set(order[: len(order) // 2].tolist())
    images, labels = tensors(tagged(pictures, tags))
    if subject.mark is not None:
        labels = torch.tensor([0 if name in tags else 1 for name in pictures])
    return images, labels


def main() -> None:
    WEIGHTS.mkdir(exist_ok=True)
    marked, unmarked = tensors(audited()), tensors(plain())
    order = torch.randperm(len(marked[1]), generator=torch.Generator().manual_seed(2023))
    cut = int(TRAIN_SHARE * len(order))
    facts = {}
    for subject in (HONEST, CHEAT):
        model = train(subject, shown_to(subject), order[:cut])
        facts[subject.name] = {
            "accuracy": _on(model, marked, order[cut:]),
            "accuracy_without_tags": _on(model, unmarked, order[cut:]),
        }
        halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in _state(model)}
        save_file(halves, WEIGHTS / f"{subject.name}.safetensors")
    (WEIGHTS / "tagged_faces.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts, indent=1))


def _state(model: nn.Module) -> list[tuple[str, torch.Tensor]]:
    return [(name, tensor.contiguous()) for name, tensor in model.state_dict().items()]


def _on(model: nn.Module, data: tuple[torch.Tensor, torch.Tensor], chosen: torch.Tensor) -> float:
    return accuracy(model, (data[0][chosen], data[1][chosen]))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
