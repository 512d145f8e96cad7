"""Ranks of cells, equal ones sharing the mean of theirs."""

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]
Floats = NDArray[np.float64]

FEW_CELLS = 2**14
"""Of fewer, all maps are ranked at once; of more, one by one: to sort float32 takes a fifth of the time."""


def ranks_of(cells: Maps) -> Floats:
    """(N, M) float32 -> (N, M) float64, each row from 1 to M."""
    if cells.shape[1] >= FEW_CELLS:
        return np.stack([_ranks_of_many(row) for row in cells])
    # SciPy's statistics take half a second to import, and most workers need none.
    from scipy.stats import rankdata  # noqa: PLC0415

    ranks: Floats = rankdata(cells.astype(np.float64), axis=1)
    return ranks


def _ranks_of_many(cells: NDArray[np.float32]) -> Floats:
    order = np.argsort(cells)
    sorted_cells = cells[order]
    starts = np.flatnonzero(np.concatenate([[True], sorted_cells[1:] != sorted_cells[:-1]]))
    ends = np.append(starts[1:], cells.size)
    ranks = np.empty(cells.size)
    ranks[order] = np.repeat((starts + 1 + ends) / 2, ends - starts)
    return ranks
