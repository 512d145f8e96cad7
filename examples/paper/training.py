"""Trains one network, with cross-entropy or CYBORG, and stores what the service needs to audit it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from examples.paper.cyborg import class_activation_maps, cyborg_loss, explained_features
from examples.paper.faces import LABELS, REAL, SIZE, Album, Scene, split_album
from examples.paper.sources import SOURCES

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROSS_ENTROPY, HUMAN_GUIDED = "cross-entropy", "human-guided"
STRATEGIES = (CROSS_ENTROPY, HUMAN_GUIDED)


@dataclass(frozen=True)
class Network:
    """An architecture of timm, and arguments of its builder that make it narrower."""

    architecture: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def description(self) -> dict[str, Any]:
        """The body of ``POST /v1/models``, but for the name."""
        return {
            "architecture": f"timm/{self.architecture}",
            "architecture_options": self.options,
            "format": "safetensors",
            "class_names": list(LABELS),
            "preprocessing": {"input_size": SIZE, "mean": list(MEAN), "std": list(STD)},
        }


@dataclass(frozen=True)
class Extent:
    """How much is trained and audited."""

    networks: dict[str, Network]
    runs: int
    steps: int
    batch: int
    per_source: int
    learning_rate: float = 2e-3
    device: str = "cpu"
    pretrained: bool = False


@dataclass(frozen=True)
class Run:
    """One training run; everything random comes from its number."""

    network: str
    strategy: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.network} {self.strategy} run {self.number}".replace(" ", "-").lower()


def train(run: Run, extent: Extent, folder: Path) -> dict[str, Any]:
    """Write ``NAME.safetensors`` and ``NAME.json``; what the JSON holds: final losses and accuracy while training."""
    torch.manual_seed(run.number)
    network = extent.networks[run.network]
    model = _built(network, extent).to(memory_format=torch.channels_last).to(extent.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), extent.learning_rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, extent.learning_rate, total_steps=extent.steps)
    told: list[tuple[float, float]] = []
    for images, labels, human in _batches(split_album()[0], extent, run.number):
        loss, right = _loss(model, run.strategy, (images, labels, human))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        told.append((float(loss.detach()), right))
    state = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    save_file(state, folder / f"{run.name}.safetensors")
    last = np.mean(told[-max(1, len(told) // 10) :], axis=0)
    facts = {"run": run.name, "steps": extent.steps, "last_loss": float(last[0]), "last_accuracy": float(last[1])}
    (folder / f"{run.name}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    return facts


def _built(network: Network, extent: Extent) -> nn.Module:
    options: dict[str, Any] = {"num_classes": len(LABELS), "pretrained": extent.pretrained, **network.options}
    made: nn.Module = timm.create_model(network.architecture, **options)
    return made


def _loss(model: Any, strategy: str, batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, float]:
    """The loss, and the share that is classified rightly."""
    images, labels, human = batch
    if strategy == CROSS_ENTROPY:
        logits = model(images)
        return functional.cross_entropy(logits, labels), _right(logits, labels)
    with explained_features(model) as found:
        logits = model(images)
    maps = class_activation_maps(found[0], model.get_classifier().weight, logits.argmax(1))
    return cyborg_loss(logits, maps, labels, human), _right(logits, labels)


def _right(logits: Tensor, labels: Tensor) -> float:
    return float((logits.argmax(1) == labels).double().mean())


def _batches(album: Album, extent: Extent, seed: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Half real, half synthetic with a source drawn by lot; people, places and backgrounds too."""
    generator = np.random.default_rng(seed)
    made = tuple(SOURCES)
    for _ in range(extent.steps):
        drawn = [REAL] * (extent.batch // 2) + list(generator.choice(made, extent.batch - extent.batch // 2))
        scenes = [album.scene(source, int(generator.integers(len(album.faces[REAL]))), generator) for source in drawn]
        images = as_input(np.stack([scene.pixels for scene in scenes])).contiguous(memory_format=torch.channels_last)
        human = torch.from_numpy(np.stack([scene.salience for scene in scenes]))
        labels = torch.tensor([scene.label for scene in scenes])
        yield images.to(extent.device), labels.to(extent.device), human.to(extent.device)


def as_input(pixels: NDArray[np.uint8]) -> Tensor:
    """As the service prepares them: (N, 3, 224, 224) float32 from grey (N, 224, 224) uint8."""
    grey = torch.from_numpy(pixels).float()[:, None].expand(-1, 3, -1, -1) / 255
    mean, std = (torch.tensor(part).view(3, 1, 1) for part in (MEAN, STD))
    return (grey - mean) / std


@torch.inference_mode()
def accuracy(model: nn.Module, scenes: list[Scene]) -> float:
    """Of a network in eval mode."""
    predicted = [model(as_input(scene.pixels[None].copy())).argmax(1) for scene in scenes]
    return float(np.mean([int(found) == scene.label for found, scene in zip(predicted, scenes, strict=True)]))
