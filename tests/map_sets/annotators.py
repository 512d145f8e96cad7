"""Two annotators of the faces, whose maps are drawn, and how their maps are compared elsewhere."""

import csv
import io
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from prepare import named_images
from scipy.stats import pearsonr
from skimage.metrics import structural_similarity
from skimage.transform import resize_local_mean

Json = dict[str, Any]
Map = NDArray[np.float64]
Scores = dict[tuple[str, str, str], float]
"""By sample, subject and view."""
Sets = dict[str, dict[str, Map]]
"""By annotator and sample."""


SAMPLES = 24
PROTOCOL: Json = {"micro_batch": 8, "measures": {"entropy": {}, "agreement": {}}}
SIDES = {"first": (70, 35, 14), "second": (49,)}
"""Of an annotator's maps, in turn."""
LEFT_OUT = "non_face/dark/074.png"
"""By the second annotator; audits of so many samples draw it."""


def drawn(sides: Sequence[int], seed: int) -> dict[str, Map]:
    """A blob for every image, about where the other annotator sees it."""
    places, own = np.random.default_rng(0), np.random.default_rng(seed)
    maps: dict[str, Map] = {}
    for name, side in zip(named_images(), cycle(sides)):
        down, right = np.mgrid[:side, :side] / side
        y, x = places.uniform(0.2, 0.8, 2) + own.normal(0, 0.05, 2)
        maps[name] = np.exp(-((down - y) ** 2 + (right - x) ** 2) / 0.05)
    return maps


def eight_bit(values: Map) -> NDArray[np.uint8]:
    return (values.astype(np.float32) * np.float32(255)).astype(np.uint8)


def stretched(values: Map) -> Map:
    return np.asarray((values - values.min()) / (values.max() - values.min()))


def at_smaller(one: Map, other: Map) -> tuple[Map, Map]:
    size = min(len(one), len(other))
    return tuple(np.asarray(resize_local_mean(maps, (size, size))) for maps in (one, other))  # type: ignore[return-value]


def scores_of(service: httpx.Client, audit: Json) -> Scores:
    """Of one that has succeeded, by sample, subject and view."""
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["score"]]
    return {(row["sample"], row["subject"], row["view"]): float(row["score"]) for row in rows}


def by_correlation(one: Map, other: Map) -> float:
    return float(pearsonr(one.ravel(), other.ravel())[0])


def by_ssim(one: Map, other: Map) -> float:
    return float(structural_similarity(eight_bit(one), eight_bit(other), data_range=255))
