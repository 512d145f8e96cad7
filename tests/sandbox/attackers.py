"""What a network of the hostile library does in a real child, and how that ends."""

from pathlib import Path

import torch
from safetensors.torch import save

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.stored import put
from worker.supervision.process import ChildProcess
from worker.wire.jobs import ModelJob

HOSTILE = Path(__file__).parent / "hostile" / "site-packages"
WEIGHTS = {
    "features.weight": torch.linspace(-1, 1, 216).view(8, 3, 3, 3),
    "features.bias": torch.zeros(8),
    "classifier.weight": torch.linspace(-1, 1, 16).view(2, 8),
    "classifier.bias": torch.zeros(2),
    "target": torch.zeros(256, dtype=torch.uint8),
}


def put_weights(blobs: BlobStore, target: str = "") -> str:
    """Of at most 256 bytes is what the attack is aimed at."""
    held = torch.tensor([*target.encode().ljust(256, b"\0")], dtype=torch.uint8)
    return put(blobs, save(WEIGHTS | {"target": held}))


def attack(child: ChildProcess, blobs: BlobStore, name: str, target: str = "") -> str:
    """``done`` where the network got what it wanted, else how it was refused. Raises ChildDied."""
    job = ModelJob(
        digest=put_weights(blobs, target),
        format=ModelFormat.SAFETENSORS,
        architecture=f"timm/{name}",
        input_size=64,
        preprocessing={"input_size": 64, "mean": [0.0], "std": [1.0]},
        target_layer=None,
    )
    try:
        for _ in child.converse(job, blobs):
            pass
    except InputFailure as failure:
        return failure.detail.partition("refused: ")[2] or failure.detail
    return "done"


def settings(**limits: object) -> Settings:
    return Settings(device="cpu", threads=1, **limits)  # type: ignore[arg-type]
