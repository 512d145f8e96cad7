"""Candidates timed side by side: interleaved repetitions, medians, spread."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Timing:
    """Seconds of all repetitions of one candidate."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> float:
        """Half the range between the quartiles, as a share of the median."""
        if len(self.seconds) < 4:
            return (max(self.seconds) - min(self.seconds)) / 2 / self.median
        low, _, high = statistics.quantiles(self.seconds, n=4)
        return (high - low) / 2 / self.median


def side_by_side(candidates: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, Timing]:
    """All in turn, every round beginning with another one. Each runs twice and the second is timed: the first finds
    caches and heap as another left them, which after a library's call costs a forward pass half its time again.
    """
    names = list(candidates)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(repetitions):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            candidates[name]()
            seconds[name].append(timed(candidates[name]))
    return {name: Timing(tuple(values)) for name, values in seconds.items()}


def timed(run: Callable[[], object]) -> float:
    """Seconds of one call, with all that it left the GPU to do."""
    synchronize()
    start = time.perf_counter()
    run()
    synchronize()
    return time.perf_counter() - start


def synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def ratio(timings: Mapping[str, Timing], of: str, to: str) -> float:
    """How many times as fast ``of`` is as ``to``: the median of the ratios of each round."""
    pairs = zip(timings[to].seconds, timings[of].seconds, strict=True)
    return statistics.median(other / own for other, own in pairs)
