"""Which samples of a data set an audit takes."""

import random
from collections.abc import Sequence


def draw(positions: Sequence[int], count: int, seed: int) -> list[int]:
    """``count`` of the positions by a seeded draw without replacement, ascending."""
    return sorted(random.Random(seed).sample(positions, count))  # noqa: S311


def stratified_draw(strata: dict[str | None, list[int]], count: int, seed: int) -> list[int]:
    """As many of each stratum as its share asks for, ascending; none is left out as long as there is room for all.

    ``strata`` are the positions of each label or source (None: of samples that have none). Shares are rounded by
    largest remainder, after one sample for each; ties go to the names in order.
    """
    names = sorted(strata, key=lambda name: (name is not None, name or ""))
    shares = _shares([len(strata[name]) for name in names], count)
    return sorted(
        position
        for number, (name, share) in enumerate(zip(names, shares, strict=True))
        for position in draw(strata[name], share, seed + number)
    )


def _shares(sizes: list[int], count: int) -> list[int]:
    """That add up to ``count`` and exceed no size."""
    total = sum(sizes)
    exact = [count * size / total for size in sizes]
    least = 1 if count >= len(sizes) else 0
    shares = [min(size, max(least, int(share))) for size, share in zip(sizes, exact, strict=True)]
    while (missing := count - sum(shares)) != 0:
        step = 1 if missing > 0 else -1
        room = [
            place for place, size in enumerate(sizes) if (shares[place] < size if step > 0 else shares[place] > least)
        ]
        place = max(room, key=lambda place: (step * (exact[place] - shares[place]), -place))
        shares[place] += step
    return shares
