"""The table of similarities: each held against another implementation, and the seconds that 100,000 samples take.

    python -m benchmarks.similarities

Maps of 7 x 7 cells as ReLU and min-max leave them, many cells zero, from a fixed seed; one thread.
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.special import rel_entr
from scipy.stats import pearsonr, spearmanr
from skimage.metrics import structural_similarity

from app.domain.maps.similarities import SIMILARITIES, Similarity
from worker.functional.similarities import OF_MAPS

SAMPLES, HELD = 100_000, 40
Maps = NDArray[np.float32]


def made(count: int, rows: int = 7, columns: int = 7) -> tuple[Maps, Maps]:
    """Two times ``count`` maps in [0, 1]."""
    random = np.random.default_rng(5)
    maps = np.clip(random.normal(0.2, 0.5, (2, count, rows, columns)), 0, None).astype(np.float32)
    first, second = maps / maps.max((2, 3), keepdims=True)
    return first, second


def _levels(maps: Maps) -> NDArray[np.uint8]:
    return (maps * np.float32(255)).astype(np.uint8)


def _ssim(first: Maps, second: Maps) -> float:
    return float(structural_similarity(_levels(first), _levels(second)))


def _cc(first: Maps, second: Maps) -> float:
    return float(pearsonr(*(one.astype(np.float64).ravel() for one in (first, second))).statistic)


def _spearman(first: Maps, second: Maps) -> float:
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def _sim(first: Maps, second: Maps) -> float:
    """As pysaliency has it: the histogram intersection of maps that are brought to the sum 1."""
    p, q = (one.astype(np.float64) / one.sum(dtype=np.float64) for one in (first, second))
    return float(sum(map(min, p.ravel().tolist(), q.ravel().tolist())))


def _emd(first: Maps, second: Maps) -> float:
    """The transport problem written out as a linear program."""
    p, q = (one.astype(np.float64).ravel() / one.sum(dtype=np.float64) for one in (first, second))
    places = np.argwhere(np.ones(first.shape))
    diagonal = np.sqrt(((np.array(first.shape) - 1) ** 2).sum())
    apart = np.sqrt(((places[:, None] - places[None]) ** 2).sum(-1)) / diagonal
    leaving, coming = np.kron(np.eye(len(p)), np.ones(len(p))), np.kron(np.ones(len(p)), np.eye(len(p)))
    found: Any = linprog(apart.ravel(), A_eq=np.vstack([leaving, coming]), b_eq=np.concatenate([p, q]))
    return float(found.fun)


def _iou(first: Maps, second: Maps) -> float:
    count = round(first.size / 5)
    one, other = (
        {place for place, value in enumerate(cells) if 0 < value >= sorted(cells)[-count]}
        for cells in (first.ravel(), second.ravel())
    )
    return len(one & other) / len(one | other)


def _kl(first: Maps, second: Maps) -> float:
    """SciPy's relative entropy of the shares, the first ones kept from zero."""
    p, q = (one.astype(np.float64) / one.sum(dtype=np.float64) for one in (first, second))
    return float(rel_entr(q, p + 1e-12).sum())


def _pointing(first: Maps, second: Maps) -> float:
    count = round(first.size / 5)
    cells = second.ravel()
    return float(0 < cells[first.argmax()] >= sorted(cells)[-count])


PEERS: dict[Similarity, tuple[str, Callable[[Maps, Maps], float]]] = {
    Similarity.SSIM: ("scikit-image", _ssim),
    Similarity.CC: ("SciPy's pearsonr", _cc),
    Similarity.SPEARMAN: ("SciPy's spearmanr", _spearman),
    Similarity.SIM: ("pysaliency's formula, by hand", _sim),
    Similarity.EMD: ("SciPy's linprog", _emd),
    Similarity.IOU: ("sets of cells, by hand", _iou),
    Similarity.KL: ("SciPy's rel_entr", _kl),
    Similarity.POINTING_GAME: ("sets of cells, by hand", _pointing),
}


def difference(similarity: Similarity, pair: tuple[Maps, Maps], count: int) -> float:
    """The largest of the first ``count`` maps."""
    found = OF_MAPS[similarity](*(maps[:count] for maps in pair))
    expected = [PEERS[similarity][1](one, other) for one, other in zip(*(maps[:count] for maps in pair), strict=True)]
    return float(np.abs(found - expected).max())


def main() -> None:
    pair = made(SAMPLES)
    print("| similarity | what it is | held against | largest difference | seconds for 100,000 samples |")
    print("|" + " --- |" * 5)
    for similarity in map(Similarity, OF_MAPS):
        spec = SIMILARITIES[similarity]
        begun = time.process_time()
        OF_MAPS[similarity](*pair)
        seconds = time.process_time() - begun
        apart = difference(similarity, pair, HELD)
        print(f"| `{similarity}` | {spec.formula} | {PEERS[similarity][0]} | {apart:.0e} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
