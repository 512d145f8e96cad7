"""The table of moves, each held against torchvision: ``python -m benchmarks.moves``.

Three photographs at 224 x 224 and a number each; compared where a move leaves pixels of the image, since torchvision
repeats no edge.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.data import astronaut, chelsea, coffee
from torch import Tensor
from torchvision.transforms.v2 import InterpolationMode, functional

from app.domain.models.input_size import Size
from app.domain.views.families import with_parameter
from app.domain.views.moves import MOVES, MoveKind
from app.imaging.elastic import Displacement
from app.imaging.motions import Motion, motion_of, places
from app.imaging.pixel_order import order_generator
from worker.functional.warping import inside, warped

SIDE = 224
PHOTOGRAPHS: tuple[Callable[[], NDArray[np.uint8]], ...] = (astronaut, chelsea, coffee)
TRIED: dict[MoveKind, tuple[float, ...]] = {
    "rotation": (15, 45, 200),
    "scale": (0.5, 0.8, 1.25),
    "shear": (10, 30),
    "perspective": (0.2, 0.5),
    "elastic": (0.25, 0.5, 0.75),
}
_BILINEAR = InterpolationMode.BILINEAR


def _affine(images: Tensor, angle: float = 0, scale: float = 1, shear: float = 0) -> Tensor:
    moved: Tensor = functional.affine(images, angle, [0, 0], scale, [shear, 0], _BILINEAR)
    return moved


def _perspective(images: Tensor, share: float) -> Tensor:
    height, width = images.shape[-2] - 1, images.shape[-1] - 1
    lost = share * width / 2
    corners: list[list[float]] = [[0, 0], [width, 0], [width, height], [0, height]]
    there: list[list[float]] = [[lost, 0], [width - lost, 0], [width, height], [0, height]]
    coefficients = _coefficients(there, corners)
    moved: Tensor = functional.perspective(images, None, None, _BILINEAR, coefficients=coefficients)
    return moved


def _coefficients(there: list[list[float]], corners: list[list[float]]) -> list[float]:
    """Of torchvision's own equations, which it solves for whole numbers of pixels alone; its middles lie at 0.5."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(there, corners, strict=True):
        x, y, u, v = x + 0.5, y + 0.5, u + 0.5, v + 0.5  # noqa: PLW2901
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    found: list[float] = np.linalg.solve(np.array(rows), np.array(wanted)).tolist()
    return found


def _elastic(images: Tensor, motion: Motion) -> Tensor:
    """Right and down, in halves of the image's sides."""
    if not isinstance(motion, Displacement):
        raise TypeError(motion)
    halves = np.array(images.shape[-2:]).reshape(2, 1, 1) / 2
    displacement = torch.from_numpy((motion.field / halves)[::-1].copy()).permute(1, 2, 0)[None].float()
    moved: Tensor = functional.elastic(images, displacement, _BILINEAR)
    return moved


PEERS: dict[MoveKind, Callable[[Tensor, float, Motion], Tensor]] = {
    "rotation": lambda images, number, _: _affine(images, angle=number),
    "scale": lambda images, number, _: _affine(images, scale=number),
    "shear": lambda images, number, _: _affine(images, shear=-number),  # it leans the other way
    "perspective": lambda images, number, _: _perspective(images, number),
    "elastic": lambda images, _, motion: _elastic(images, motion),
}


def differences(kind: MoveKind, images: Tensor) -> tuple[int, float]:
    """Of ``images`` (N, 3, H, W) uint8 by all numbers tried: the most levels apart, and the share that differs."""
    apart, size = [], Size(*images.shape[-2:])
    for number in TRIED[kind]:
        for place in range(len(images)):
            image = images[place : place + 1]
            motion = motion_of(with_parameter(kind, number), size, order_generator(0, str(place), kind))
            known = inside([places(motion.back, size)])[0]
            found, expected = warped(image, [motion.back]), PEERS[kind](image, number, motion)
            apart.append((found.int() - expected.int()).abs()[..., known].flatten())
    return int(torch.cat(apart).max()), float((torch.cat(apart) > 0).float().mean())


def photographs(side: int = SIDE) -> Tensor:
    pictures = [torch.from_numpy(make().copy()).permute(2, 0, 1) for make in PHOTOGRAPHS]
    return torch.stack([functional.resize(one, [side, side]) for one in pictures])


def main() -> None:
    images = photographs()
    print("| move | its number | from, to | tried | levels apart | that differ |")
    print("|" + " --- |" * 6)
    for kind, spec in MOVES.items():
        most, share = differences(kind, images)
        tried = ", ".join(f"{number:g}" for number in TRIED[kind])
        limits = f"{spec.smallest:g}, {spec.largest:g}"
        print(f"| `{kind}` | {spec.number} | {limits} | {tried} | {most} | {share:.2%} |")


if __name__ == "__main__":
    main()
