"""Kinds of maps within a class, by spectral clustering; nothing is reported that another half would not show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_MAPS = 1_000
MOST_CLUSTERS = 8
STABLE = 0.6
"""The smallest adjusted Rand index of two halves' clusters that counts as the same clusters."""
FEWEST_MAPS = 40
_NEIGHBOURS = 7
_STARTS = 8
_ROUNDS = 100


@dataclass(frozen=True)
class Clusters:
    """``labels`` (N,) 0 .. k - 1, larger clusters first; ``agreement`` is the adjusted Rand index of the halves."""

    labels: Integers
    agreement: float


def map_clusters(maps: Floats, seed: int) -> Clusters | None:
    """Clusters of ``maps`` (N, H, W); None where there are none, or two random halves do not show the same.

    The number of clusters is where the eigenvalues of the normalised graph Laplacian leave the largest gap (von Luxburg
    2007), up to `MOST_CLUSTERS`. Each half is clustered on its own and gives its clusters to all maps by the nearest
    centre.
    """
    if len(maps) < FEWEST_MAPS:
        return None
    generator = np.random.Generator(np.random.PCG64(seed))
    rows = _unit_rows(maps)
    vectors, count = _spectrum(rows)
    if count < 2:
        return None
    labels = _largest_first(_k_means(vectors[:, :count], count, generator))
    order = generator.permutation(len(rows))
    halves = [_of_half(rows, order[part::2], count, generator) for part in (0, 1)]
    agreement = adjusted_rand_index(*halves)
    return Clusters(labels, agreement) if agreement >= STABLE else None


def adjusted_rand_index(first: Integers, second: Integers) -> float:
    """Agreement of two partitions of N items, 1 for the same, about 0 by chance (Hubert and Arabie 1985)."""
    table = np.zeros((first.max() + 1, second.max() + 1))
    np.add.at(table, (first, second), 1)
    together = _pairs(table).sum()
    rows, columns = _pairs(table.sum(1)).sum(), _pairs(table.sum(0)).sum()
    expected = rows * columns / _pairs(np.array(float(len(first))))
    highest = (rows + columns) / 2
    return 1.0 if highest == expected else float((together - expected) / (highest - expected))


def _pairs(counts: Floats) -> Floats:
    pairs: Floats = counts * (counts - 1) / 2
    return pairs


def _unit_rows(maps: Floats) -> Floats:
    """Centred and of length 1, so that distances are those of correlation."""
    rows = maps.reshape(len(maps), -1).astype(np.float64)
    rows = rows - rows.mean(1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = np.divide(rows, length, out=np.zeros_like(rows), where=length > 0)
    return unit


def _of_half(rows: Floats, half: Integers, count: int, generator: np.random.Generator) -> Integers:
    """All rows by the nearest centre of the half's clusters."""
    vectors, _ = _spectrum(rows[half])
    own = _k_means(vectors[:, :count], count, generator)
    centres = np.stack([rows[half][own == label].mean(0) for label in np.unique(own)])
    return _nearest(rows, centres)


def _spectrum(rows: Floats) -> tuple[Floats, int]:
    """Eigenvectors (N, 9), rows of length 1, and the number of clusters, 1 where they are one.

    The graph joins all maps, weighted by distance over both ends' own scale (Zelnik-Manor and Perona 2004): how far the
    neighbour is that only a tenth of the maps is nearer than. Fewer neighbours find clusters in any cloud.
    """
    squared = np.maximum(2 - 2 * rows @ rows.T, 0)
    neighbour = max(_NEIGHBOURS, len(rows) // 10)
    scale = np.sqrt(np.partition(squared, neighbour, axis=1)[:, neighbour]) + 1e-12
    weights = np.exp(-squared / (scale[:, None] * scale[None, :]))
    np.fill_diagonal(weights, 0)
    degree = 1 / np.sqrt(weights.sum(1) + 1e-12)
    values, vectors = np.linalg.eigh(degree[:, None] * weights * degree[None, :])
    values, vectors = values[::-1][: MOST_CLUSTERS + 1], vectors[:, ::-1][:, : MOST_CLUSTERS + 1]
    gaps = values[:-1] - values[1:]
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-12), int(gaps.argmax()) + 1


def _k_means(points: Floats, count: int, generator: np.random.Generator) -> Integers:
    """Lloyd's algorithm from several seeded starts (k-means++); the tightest wins."""
    best, tightest = np.zeros(len(points), np.int64), np.inf
    for _ in range(_STARTS):
        centres = _spread_out(points, count, generator)
        for _ in range(_ROUNDS):
            labels = _nearest(points, centres)
            means = [points[labels == k].mean(0) if (labels == k).any() else centres[k] for k in range(count)]
            moved = np.stack(means)
            if np.array_equal(moved, centres):
                break
            centres = moved
        spread = float(((points - centres[labels]) ** 2).sum())
        if spread < tightest:
            best, tightest = labels, spread
    return best


def _spread_out(points: Floats, count: int, generator: np.random.Generator) -> Floats:
    """Arthur and Vassilvitskii 2007: the next centre is drawn by the squared distance to those there are."""
    centres = [points[generator.integers(len(points))]]
    for _ in range(count - 1):
        squared = np.min([((points - centre) ** 2).sum(1) for centre in centres], axis=0)
        total = squared.sum()
        chances = squared / total if total > 0 else np.full(len(points), 1 / len(points))
        centres.append(points[generator.choice(len(points), p=chances)])
    return np.stack(centres)


def _nearest(points: Floats, centres: Floats) -> Integers:
    squared = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(2)
    nearest: Integers = squared.argmin(1).astype(np.int64)
    return nearest


def _largest_first(labels: Integers) -> Integers:
    order = np.argsort(-np.bincount(labels), kind="stable")
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return places[labels]
