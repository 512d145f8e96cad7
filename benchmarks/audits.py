"""A whole audit through the API, against the bare forward pass and against today's script, in one run."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from app.demo.service import running_service
from benchmarks.elsewhere import Elsewhere
from benchmarks.subjects import MEAN, SIZE, STD, archive, batch, network, normalise, photographs
from benchmarks.table import Row, Section, at_least
from benchmarks.timing import timed
from benchmarks.user_script import UserScript
from salience_audit import Client

CPU = torch.device("cpu")
BATCH = 16
# One clean, one noisy, twelve geometric and two degraded.
PASSES = 16
PROTOCOL: dict[str, Any] = {
    "measures": {"entropy": {}, "noise_reaction": {"curve": []}, "geometric_resilience": {}, "degradation": {}}
}
# Every audit makes its own clean maps, as the first of a model and data set does.
AFRESH = {"REUSE_CLEAN_MAPS": "false"}
VIT = "timm/vit_tiny_patch16_224"
TARGET_ON_GPU = 0.8
TARGETS = {"resnet50": 0.85, "densenet121": 0.85, "resnet18": 0.75, "shufflenet_v2_x0_5": 0.6, VIT: 0.75}
LAYERS = {
    "resnet50": "layer4", "resnet18": "layer4", "densenet121": "features", "shufflenet_v2_x0_5": "conv5",
    VIT: "blocks.11.norm1",
}  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A running service with one data set, and how many of its images an audit takes."""

    client: Client
    dataset_id: str
    images: int
    device: torch.device = CPU

    def upload(self, name: str) -> str:
        preprocessing = {"input_size": SIZE, "mean": MEAN, "std": STD}
        description = {"name": name, "architecture": name, "format": "safetensors", "preprocessing": preprocessing}
        weights = {key: value.contiguous() for key, value in network(name, torch.device("cpu")).state_dict().items()}
        model_id: str = self.client.push_model(save(weights), description=description)["id"]
        return model_id

    def audit(self, model_id: str, seed: int, methods: Sequence[str] = ("gradcam",)) -> float:
        """Seconds of an audit of ``images`` samples, from the request to the results; every seed draws others.

        By the service's own clock: to ask more often would take the time of what is measured.
        """
        protocol = PROTOCOL | {"seed": seed, "salience": {"methods": list(methods)}}
        audit = self.client.run_audit(
            self.dataset_id, model_ids=[model_id], protocol=protocol, sample_limit=self.images
        )
        ended = self.client.wait(audit["id"])
        begun, done = (datetime.fromisoformat(ended[name]) for name in ("created_at", "finished_at"))
        return (done - begun).total_seconds()


@contextmanager
def service(images: int, device: torch.device = CPU) -> Iterator[Service]:
    """Its own servers in a folder that is deleted afterwards."""
    settings = AFRESH | {"DEVICE": str(device)}
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), settings) as (url, key):
        client = Client(url, key)
        dataset = client.push_dataset(archive(images), name="photographs")
        yield Service(client, dataset["id"], images, device)


def audit(name: str, running: Service, rounds: int, scripted: int) -> Section:
    """Rounds of forward passes, an audit, forward passes; then ``scripted`` images through the script, if any."""
    module, model_id = network(name, running.device), running.upload(name)
    images = normalise(batch(BATCH, running.device))
    running.audit(model_id, 1)
    found = []
    for number in range(rounds):
        before = _forward_seconds(module, images)
        spent = running.audit(model_id, 2 + number) / running.images
        found.append((before, spent, _forward_seconds(module, images)))
    ratios = [(before + after) / 2 / spent for before, spent, after in found]
    spent = statistics.median(spent for _, spent, _ in found)
    wanted = TARGETS[name] if running.device.type == "cpu" else TARGET_ON_GPU
    rows = [Row("audit / bare forward", **at_least(statistics.median(ratios), wanted))]
    method = (
        f"{running.images} PNGs, {PASSES} passes an image, {rounds} rounds (ratios {_list(ratios)}), through the API: "
        f"{spent * 1e3:.0f} ms an image, of which {_mean_forward(found) * 1e3:.0f} are the bare passes"
    )
    if scripted:
        script = _script_seconds(name, scripted)
        target = at_least(script / spent, 5, 1) if name == "resnet50" else {"found": f"{script / spent:.1f}"}
        note = f"{scripted} images through the script, in a process of its own"
        rows.append(Row("audit / a script of today", **target, note=note))
        method += f"; the script takes {script * 1e3:.0f}"
    return Section(f"A whole audit of {name}", f"{method}.", rows)


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.2f}" for value in values)


def _mean_forward(found: list[tuple[float, float, float]]) -> float:
    return statistics.median((before + after) / 2 for before, _, after in found)


def _forward_seconds(module: torch.nn.Module, images: torch.Tensor) -> float:
    """Of all passes of one image."""
    with torch.inference_mode():
        module(images)
        return statistics.median(timed(lambda: module(images)) for _ in range(8)) / BATCH * PASSES


def script_of_today(name: str) -> Callable[[], Any]:
    """For `benchmarks.elsewhere`: one photograph after the other."""
    twin = deepcopy(network(name, torch.device("cpu"))).to(memory_format=torch.contiguous_format).requires_grad_()
    script, pictures = UserScript(twin, LAYERS[name], _grid if name == VIT else None), cycle(photographs(8))
    return lambda: script.audit(next(pictures))


def _grid(tokens: torch.Tensor) -> torch.Tensor:
    """(N, 1 + 196, K) without the class token, as (N, K, 14, 14)."""
    return tokens[:, 1:].reshape(len(tokens), 14, 14, -1).permute(0, 3, 1, 2)


def _script_seconds(name: str, count: int) -> float:
    with Elsewhere("benchmarks.audits", "script_of_today", name) as script:
        script()
        return statistics.median(timed(script) for _ in range(count))
