"""Resamples of a group of samples, and of a macro total, in which every source has the same weight."""

import hashlib
from collections.abc import Sequence

import numpy as np

from app.domain.statistics.aggregates import Floats, Integers
from app.domain.statistics.bootstrap import Resampled, bootstrap_blocks
from app.domain.vocabulary import GroupBy


def macro_bootstrap(columns: Floats, codes: Integers, seed: int, clusters: Integers | None = None) -> Resampled:
    """Of (N, V), stratified: every source is a unit of its own, as it has the same weight. Sources that share a cluster
    are one unit: what is drawn of a cluster is drawn of it in all of them."""
    return macro_bootstrap_blocks([columns], codes, seed, clusters)[0]


def macro_bootstrap_blocks(
    blocks: Sequence[Floats], codes: Integers, seed: int, clusters: Integers | None = None
) -> list[Resampled]:
    """The same for several (N, V) of the same rows, by the same resamples."""
    by_source = [part for unit in _units(codes, clusters) for part in _by_source(blocks, codes, seed, clusters, unit)]
    return [_mean_over_sources(list(parts)) for parts in zip(*by_source, strict=True)]


def _units(codes: Integers, clusters: Integers | None) -> list[list[int]]:
    """The sources that are drawn together, each with those that it shares a cluster with, in the order of the codes."""
    if clusters is None:
        return [[code] for code in np.unique(codes).tolist()]
    _, rows = np.unique(clusters, return_inverse=True)
    # Every source takes the lowest number of those that it shares a cluster with, until none changes.
    unit, before = np.arange(codes.max(initial=-1) + 1), None
    while before is None or (unit != before).any():
        before, lowest = unit.copy(), np.full(len(codes), len(unit))
        np.minimum.at(lowest, rows, unit[codes])
        np.minimum.at(unit, codes, lowest[rows])
    units: dict[int, list[int]] = {}
    for code in np.unique(codes).tolist():
        units.setdefault(int(unit[code]), []).append(code)
    return list(units.values())


def _by_source(
    blocks: Sequence[Floats], codes: Integers, seed: int, clusters: Integers | None, unit: list[int]
) -> list[list[Resampled]]:
    """Of every source of a unit, its blocks by the unit's resamples: what is of other sources is undefined."""
    own = np.isin(codes, unit)
    # One after the other: of clusters, only their sums stay in memory.
    apart = (
        block[own] if len(unit) == 1 else np.where((codes[own] == code)[:, None], block[own], np.nan)
        for code in unit
        for block in blocks
    )
    unit_seed = group_seed(seed, GroupBy.TOTAL, f"macro {unit[0]}")
    found = bootstrap_blocks(apart, unit_seed, None if clusters is None else clusters[own])
    return [found[start : start + len(blocks)] for start in range(0, len(found), len(blocks))]


def _mean_over_sources(parts: list[Resampled]) -> Resampled:
    defined = [np.where(np.isnan(part.means), 0.0, 1.0) for part in parts]
    with np.errstate(invalid="ignore"):
        means: Floats = np.sum([np.nan_to_num(part.means) for part in parts], axis=0) / np.sum(defined, axis=0)
    return Resampled(means, np.any([part.varies for part in parts], axis=0))


def group_seed(seed: int, group_by: str, group: str) -> int:
    """A stream for each group, so that one group's summaries never depend on which others exist."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{group_by}/{group}".encode()).digest()[:8])
