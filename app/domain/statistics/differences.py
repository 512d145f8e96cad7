"""Paired comparison of sides that scored the same samples: intervals, a test, and what many tests cost.

*Interval.* The percentile bootstrap of the mean difference (Efron 1979), samples resampled in pairs, as the summaries
do it. The macro total resamples every source on its own.

*Test.* The two-sided sign-flip permutation test (Fisher 1935) of the macro mean difference. Under the hypothesis that
the two sides are exchangeable on every sample, each difference could as well have had the other sign. It tests the
number that is shown, with the weights that it is shown under, and assumes no distribution. Wilcoxon's test ranks the
differences, so it tests another number and can disagree in sign with the mean (Smucker, Allan and Carterette 2007,
who advise the permutation test for paired scores). Up to 12 differences all sign patterns are counted; up to 10,000
random ones are drawn, p = (1 + hits) / (1 + draws) (Phipson and Smyth 2010); beyond that the normal limit of the very
same permutation distribution is used, whose p-values have no floor.

*Correction.* Holm (1979) over every test of the comparison: the chance of one false claim among them stays under 5%,
whatever their dependence. Tables by label and source carry intervals only, uncorrected.

*Same bits everywhere.* Differences are first rounded to a binary grid (about 1e-13 for a thousand samples) on which
sums of resampled or sign-flipped rows are exact. No order of addition, thread or processor can then move a digit, and
ties of the permutation test are true ties.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from app.domain.statistics.aggregates import Floats, Integers

EXACT_UP_TO = 12
MONTE_CARLO_UP_TO = 10_000
MIN_DRAWS = 9_999
ALPHA = 0.05
_EXACT_BITS = 50
_CHUNK_BITS, _MIN_ROW_BITS = 4_000_000, 1_000

EXACT, MONTE_CARLO, NORMAL = "exact", "monte-carlo", "normal"


def snap(columns: Floats) -> Floats:
    """(N, V) rounded, column by column, to multiples of a power of two so that N of them add up without rounding.

    The grid is at most 2**-49 times N times the column's largest magnitude. NaN stays NaN.
    """
    if not columns.size:
        return columns
    largest = np.nanmax(np.abs(columns), axis=0, initial=0.0) * len(columns)
    exponents = _EXACT_BITS - np.frexp(largest)[1]
    snapped: Floats = np.ldexp(np.rint(np.ldexp(columns, exponents)), -exponents)
    return snapped


def draws_for(tests: int) -> int:
    """Sign patterns to draw so that a hundredth can survive the correction for so many tests."""
    return max(MIN_DRAWS, 100 * tests - 1)


def sign_flip_test(columns: Floats, seed: int, draws: int) -> list[tuple[float | None, str | None]]:
    """Two-sided p-value and method for each column of differences (N, V), weighted already; NaN where undefined.

    (None, None) for a column without a defined difference; 1 where all differences are 0.
    """
    snapped = snap(columns)
    values = np.nan_to_num(snapped, nan=0.0)
    sizes = np.count_nonzero(values, axis=0)
    methods = [EXACT if n <= EXACT_UP_TO else MONTE_CARLO if n <= MONTE_CARLO_UP_TO else NORMAL for n in sizes]
    drawn = [index for index, method in enumerate(methods) if method == MONTE_CARLO]
    by_draws = dict(zip(drawn, _monte_carlo(values[:, drawn], seed, draws), strict=True))
    found: list[tuple[float | None, str | None]] = []
    for index, method in enumerate(methods):
        column = values[values[:, index] != 0, index]
        if np.isnan(snapped[:, index]).all():
            found.append((None, None))
        else:
            found.append((by_draws.get(index) or _without_draws(column, method), method))
    return found


def _without_draws(values: Floats, method: str) -> float:
    return _exact(values) if method == EXACT else _normal_limit(values)


def _exact(values: Floats) -> float:
    """The share of all 2**n sign patterns whose sum is at least as far from 0."""
    patterns = np.arange(2**values.size)[:, None] >> np.arange(values.size) & 1
    sums = (1 - 2 * patterns) @ values
    return float(np.mean(np.abs(sums) >= abs(values.sum())))


def _normal_limit(values: Floats) -> float:
    """Under sign flips the sum has mean 0 and variance sum(d**2)."""
    spread = math.sqrt(math.fsum((values**2).tolist()))
    return math.erfc(abs(math.fsum(values.tolist())) / spread / math.sqrt(2))


def _monte_carlo(values: Floats, seed: int, draws: int) -> list[float]:
    """(N, V) on the grid -> V p-values; all columns see the same sign patterns."""
    if not values.shape[1]:
        return []
    values = values[values.any(axis=1)]
    observed, total = np.abs(values.sum(0)), values.sum(0)
    hits = np.ones(values.shape[1])
    for kept in _random_bits(len(values), seed, draws):
        hits += (np.abs(2 * (kept @ values) - total) >= observed).sum(0)
    return [float(share) for share in hits / (1 + draws)]


def _random_bits(size: int, seed: int, draws: int) -> Iterator[Floats]:
    """0 or 1, in chunks (R, size) of ``draws`` rows in all."""
    generator = np.random.Generator(np.random.PCG64(seed))
    # Of the size alone: the stream, and so a column's p-value, must not depend on how many columns there are.
    rows = max(1, _CHUNK_BITS // max(size, _MIN_ROW_BITS))
    for start in range(0, draws, rows):
        packed = generator.integers(0, 256, (min(rows, draws - start), -(-size // 8)), dtype=np.uint8)
        yield np.unpackbits(packed, axis=1, count=size).astype(np.float64)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down adjustment; what was not tested (None) stays so and is not counted."""
    order = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * p))
        adjusted[index] = largest
    return adjusted


def farthest(differences: Floats, count: int) -> Integers:
    """Rows of the largest defined magnitudes of (N,), the largest first; ties in sample order."""
    magnitudes = np.where(np.isnan(differences), -1.0, np.abs(differences))
    order = np.argsort(-magnitudes, kind="stable")[:count]
    return order[magnitudes[order] >= 0]
