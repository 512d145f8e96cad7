from typing import Any

from numpy.typing import NDArray

def mean_similarity(first: NDArray[Any], second: NDArray[Any], out: NDArray[Any], height: int, width: int) -> None: ...
def pair_similarities(maps: NDArray[Any], out: NDArray[Any], runs: int) -> None: ...
def degrade(
    image: NDArray[Any],
    levels: NDArray[Any],
    weights: NDArray[Any],
    radii: NDArray[Any],
    out: NDArray[Any],
    height: int,
    width: int,
) -> None: ...
def look_up(images: NDArray[Any], table: NDArray[Any], out: NDArray[Any], cells: int) -> None: ...
def resize(maps: NDArray[Any], across: NDArray[Any], down: NDArray[Any], out: NDArray[Any], size: int) -> None: ...
def salt_and_pepper(
    image: NDArray[Any], generator: object, amount: float, kept: bytes, out: NDArray[Any], cells: int
) -> None: ...
