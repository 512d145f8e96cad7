"""The table of deformations, each held against another implementation: ``python -m benchmarks.deformations``."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.data import astronaut, chelsea, coffee
from torchvision.transforms.v2 import functional

from app.domain.views.deformations import DEFORMATIONS, Kind
from app.imaging.pixel_order import order_generator
from benchmarks.deformation_peers import PEERS
from benchmarks.recorded_corruptions import BY_PACKAGE, RECORDED, recorded_image
from worker.functional.corruptions import corrupted
from worker.functional.levels import Pixels, Stream

PHOTOGRAPHS: tuple[Callable[[], Pixels], ...] = (astronaut, chelsea, coffee)


def differences(kind: Kind, images: torch.Tensor) -> tuple[int, float]:
    """Of ``images`` (N, 3, H, W) uint8 at all severities: the largest difference in levels, the share that differs. Of
    what is held against a recording, of its one image.
    """
    apart = _from_recording(kind) if kind in BY_PACKAGE else _from_peer(kind, images)
    return int(np.max(apart)), float(np.mean(np.array(apart) > 0))


def _from_recording(kind: Kind) -> list[NDArray[Any]]:
    made, image = np.load(RECORDED)[kind], torch.from_numpy(recorded_image()).permute(2, 0, 1)[None]
    ours = [
        corrupted(kind, image, numbers, [stream_of(severity, 0)])[0].permute(1, 2, 0).numpy()
        for severity, numbers in enumerate(DEFORMATIONS[kind].by_severity, start=1)
    ]
    return [np.abs(one.astype(int) - other) for one, other in zip(ours, made, strict=True)]


def _from_peer(kind: Kind, images: torch.Tensor) -> list[NDArray[Any]]:
    peer = PEERS[kind][1]
    apart = []
    for number, numbers in enumerate(DEFORMATIONS[kind].by_severity):
        ours = corrupted(kind, images, numbers, _streams(number, len(images)))
        theirs = [
            peer(image, numbers, stream)
            for image, stream in zip(images.permute(0, 2, 3, 1).numpy(), _streams(number, len(images)), strict=True)
        ]
        apart.append(np.abs(ours.permute(0, 2, 3, 1).numpy().astype(int) - np.stack(theirs)))
    return apart


def _streams(severity: int, count: int) -> list[Stream]:
    return [stream_of(severity, number) for number in range(count)]


def stream_of(severity: int, number: int) -> Stream:
    """Of one image."""
    return order_generator(0, str(number), f"{severity}")


def main() -> None:
    pictures = [torch.from_numpy(make().copy()).permute(2, 0, 1) for make in PHOTOGRAPHS]
    images = torch.stack([functional.resize(one, [224, 224]) for one in pictures])
    print("| deformation | its numbers | severity 1 to 5 | made by | held against | levels apart | that differ |")
    print("|" + " --- |" * 7)
    for kind, spec in DEFORMATIONS.items():
        most, share = differences(kind, images)
        numbers = "; ".join(", ".join(f"{number:g}" for number in each) for each in spec.by_severity)
        words = ", ".join(spec.numbers)
        peer = "imagecorruptions 1.1.2" if kind in BY_PACKAGE else PEERS[kind][0]
        print(f"| `{kind}` | {words} | {numbers} | {spec.made_by} | {peer} | {most} | {share:.2%} |")


if __name__ == "__main__":
    main()
