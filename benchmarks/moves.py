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

from app.domain.moves import MOVES, MoveKind, inverse, matrix_of
from app.domain.views import with_parameter
from worker.functional.warping import seen_by_both, warped

SIDE = 224
PHOTOGRAPHS: tuple[Callable[[], NDArray[np.uint8]], ...] = (astronaut, chelsea, coffee)
TRIED: dict[MoveKind, tuple[float, ...]] = {
    "rotation": (15, 45, 200),
    "scale": (0.5, 0.8, 1.25),
    "shear": (10, 30),
    "perspective": (0.2, 0.5),
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


PEERS: dict[MoveKind, Callable[[Tensor, float], Tensor]] = {
    "rotation": lambda images, number: _affine(images, angle=number),
    "scale": lambda images, number: _affine(images, scale=number),
    "shear": lambda images, number: _affine(images, shear=-number),  # it leans the other way
    "perspective": _perspective,
}


def differences(kind: MoveKind, images: Tensor) -> tuple[int, float]:
    """Of ``images`` (N, 3, H, W) uint8 by all numbers tried: the most levels apart, and the share that differs."""
    apart = []
    for number in TRIED[kind]:
        matrix = matrix_of(with_parameter(kind, number), *images.shape[-2:])
        inside = seen_by_both(inverse(matrix), *images.shape[-2:])
        found, expected = warped(images, matrix), PEERS[kind](images, number)
        apart.append((found.int() - expected.int()).abs()[..., inside].flatten())
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
