"""Where the maps of one model lie: by label, predicted class, source, right and wrong; and kinds of maps in a class."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from app.domain.results.map_places import MapCluster, MapClusters, MapGroup, MapPlaces
from worker.functional.cell_shifts import centre_of_mass
from worker.functional.correlation import correlation_with_others
from worker.functional.map_clusters import MOST_MAPS, map_clusters
from worker.functional.map_places import border_area, border_share, entropy_of_places

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_GROUPS = 50
"""Of one kind, the largest; a data set of a thousand labels would make a document that nobody reads."""
DECIMALS = 4
MOST_SAMPLES = 6
"""Of a class and of a kind of its maps, named so that they can be looked at."""
Number = Literal["entropy", "border_share", "border_ratio", "centre_down", "centre_right", "fixedness"]
NUMBERS: tuple[Number, ...] = ("entropy", "border_share", "border_ratio", "centre_down", "centre_right", "fixedness")
"""Of every group, the mean over its maps."""
PREDICTED = "predicted"
TOTAL = "total"


@dataclass(frozen=True)
class Partition:
    """One way to group N samples: ``codes`` (N,) are indices into ``names``, -1 where a sample belongs to no group."""

    names: tuple[str, ...]
    codes: Integers

    @classmethod
    def of(cls, values: tuple[str | None, ...]) -> "Partition":
        """A group for every name, in the order of the names."""
        names = sorted({value for value in values if value is not None})
        places = {name: place for place, name in enumerate(names)}
        return cls(tuple(names), np.array([-1 if one is None else places[one] for one in values], dtype=np.int64))


@dataclass(frozen=True)
class _Samples:
    """What is known of each defined map: its sample's id (N,), maps (N, h, w) and numbers (N,)."""

    ids: Sequence[str]
    maps: Floats
    numbers: Mapping[Number, Floats]


def where_maps_lie(
    maps: NDArray[np.float32], partitions: Mapping[str, Partition], ids: Sequence[str], seed: int
) -> MapPlaces:
    """``cells``, ``border_area``, a row a group, and the clusters of each predicted class.

    ``maps`` (N, h, w) in [0, 1], zero all over where undefined: those count in ``n_undefined`` alone. ``partitions`` by
    kind, ``predicted`` among them: a map's fixedness is its correlation with the mean of the other maps of its
    predicted class. ``ids`` (N,) name the samples. Places are shares of height and width, 0.5 for the middle.
    """
    height, width = maps.shape[1:]
    defined: NDArray[np.bool_] = maps.reshape(len(maps), -1).max(1) > 0
    kept = maps[defined].astype(np.float64)
    predicted = partitions[PREDICTED].codes[defined]
    samples = _Samples(list(compress(ids, defined)), kept, _numbers(kept, predicted))
    everything = Partition(("all",), np.zeros(len(maps), np.int64))
    groups = [
        row
        for kind, partition in {TOTAL: everything, **partitions}.items()
        for row in _groups(samples, kind, partition, defined)
    ]
    return {
        "cells": [height, width],
        "border_area": border_area(height, width),
        "groups": groups,
        "clusters": list(_clusters(samples, partitions[PREDICTED].names, predicted, seed)),
    }


def _numbers(maps: Floats, predicted: Integers) -> dict[Number, Floats]:
    share = border_share(maps)
    height, width = maps.shape[1:]
    centres = (centre_of_mass(maps) + 0.5) / (height, width)
    fixedness = np.full(len(maps), np.nan)
    for code in np.unique(predicted[predicted >= 0]):
        members = np.flatnonzero(predicted == code)
        if members.size > 1:
            fixedness[members] = correlation_with_others(maps[members])
    return {
        "entropy": entropy_of_places(maps),
        "border_share": share,
        "border_ratio": share / border_area(height, width),
        "centre_down": centres[:, 0],
        "centre_right": centres[:, 1],
        "fixedness": fixedness,
    }


def _groups(samples: _Samples, kind: str, partition: Partition, defined: NDArray[np.bool_]) -> Iterator[MapGroup]:
    """The largest groups, in the order of their names."""
    codes = partition.codes[defined]
    sizes = np.bincount(partition.codes[partition.codes >= 0], minlength=len(partition.names))
    largest = np.sort(np.argsort(-sizes, kind="stable")[:MOST_GROUPS])
    for code in largest.tolist():
        members = np.flatnonzero(codes == code)
        row: MapGroup = {
            "group_by": kind,
            "group": partition.names[code],
            "n": int(members.size),
            "n_undefined": int(sizes[code] - members.size),
        }
        if members.size:
            part = samples.maps[members]
            row["mean_map"], row["spread_map"] = _rounded(part.mean(0)), _rounded(part.std(0))
            for name in NUMBERS:
                row[name] = _mean(samples.numbers[name][members])
        yield row


def _mean(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None


def _rounded(cells: Floats) -> list[list[float]]:
    rows: list[list[float]] = np.round(cells, DECIMALS).tolist()
    return rows


def _clusters(samples: _Samples, names: tuple[str, ...], predicted: Integers, seed: int) -> Iterator[MapClusters]:
    """Of every predicted class at most `MOST_MAPS` maps, drawn by seed."""
    sizes = np.bincount(predicted[predicted >= 0], minlength=len(names))
    for code in np.argsort(-sizes, kind="stable")[:MOST_GROUPS].tolist():
        if not sizes[code]:
            continue
        members = np.flatnonzero(predicted == code)
        order = np.random.Generator(np.random.PCG64([seed, code])).permutation(members)[:MOST_MAPS]
        drawn = np.sort(order)
        found = map_clusters(samples.maps[drawn], seed)
        yield MapClusters(
            predicted=names[code],
            n=int(drawn.size),
            clusters=None if found is None else list(_kinds(samples, drawn, order, found.labels)),
            agreement=None if found is None else found.agreement,
            note="no clear clusters" if found is None else None,
            samples=_named(samples, order),
        )


def _kinds(samples: _Samples, drawn: Integers, order: Integers, labels: Integers) -> Iterator[MapCluster]:
    """``labels`` are those of ``drawn``, the places ``order`` (N,) of a class's maps sorted."""
    for label in range(labels.max() + 1):
        own = drawn[labels == label]
        yield MapCluster(
            share=len(own) / drawn.size,
            mean_map=_rounded(samples.maps[own].mean(0)),
            samples=_named(samples, order[np.isin(order, own)]),
        )


def _named(samples: _Samples, places: Integers) -> list[str]:
    return [samples.ids[place] for place in places[:MOST_SAMPLES].tolist()]
