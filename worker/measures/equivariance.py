"""Does the map go where the image goes: correlation of float maps over the cells that both of them saw.

Beside the paper. A score is the correlation of the clean map with the map of the moved image, carried back; the control
is the same without carrying back, the score of a map that stands still. `app.domain.statistics.skill` makes one number
of the two.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from app.domain.measures.equivariance import EquivarianceSettings
from app.domain.vocabulary import Reasons, UndefinedReason
from worker.functional.cell_shifts import cells_in_both
from worker.functional.correlation import correlation
from worker.measures.base import Score, Seen, reasons_of_pair
from worker.views.cells import CellShiftView

Floats = NDArray[np.float64]


def equivariance(settings: EquivarianceSettings, seen: Seen) -> dict[str, Score]:
    """r(clean map, map carried back), and as its control r(clean map, map): Pearson's correlation, cell by cell.

    Float maps (N, h, w) at native resolution, of shifts by whole cells (over the cells that both maps saw) and of flips
    and quarter turns (over all cells). Scores and controls (N,) float64 in [-1, 1]; NaN and undefined where a map is
    constant over those cells. The group of shifts is a sample's mean over those in which it has a score. The CC of
    Bylinskii et al. 2019, section 4.2.
    """
    scores = {name: _score(seen, name) for name in settings.views}
    groups = {name: _mean([scores[member] for member in members]) for name, members in settings.aggregates.items()}
    return scores | groups


def _score(seen: Seen, name: str) -> Score:
    """Of one view: (N,) float64 in [-1, 1]."""
    view, clean, changed = seen.views[name], seen.clean, seen.changed[name]
    if isinstance(view, CellShiftView):
        scores, controls = _over_shared_cells(view, _cells(clean.native), _cells(changed.native))
    else:
        reference, moved = _cells(clean.native), _cells(changed.native)
        scores = correlation(reference, _cells(view.carry_back(changed.native, seen.samples).maps))
        controls = correlation(reference, moved)
    constant = np.isnan(scores).tolist()
    reasons = tuple(
        reason or (UndefinedReason.CONSTANT_VIEW_MAP if flat else None)
        for reason, flat in zip(reasons_of_pair(clean, changed), constant, strict=True)
    )
    return Score(torch.from_numpy(scores), reasons, control=torch.from_numpy(controls))


def _over_shared_cells(view: CellShiftView, clean: Floats, moved: Floats) -> tuple[Floats, Floats]:
    """Score and control, (N,) in [-1, 1], of ``clean`` and ``moved`` (N, h, w).

    All NaN where the map is too small for the shift.
    """
    height, width = clean.shape[1:]
    if not view.by.fits(height, width):
        return np.full(len(clean), np.nan), np.full(len(clean), np.nan)
    before, after = cells_in_both(view.by, height, width)
    reference = clean[:, before[0], before[1]]
    return correlation(reference, moved[:, after[0], after[1]]), correlation(reference, moved[:, before[0], before[1]])


def _cells(maps: Tensor) -> Floats:
    """(N, h, w) float64, on the CPU."""
    return maps.cpu().numpy().astype(np.float64)


def _mean(scores: list[Score]) -> Score:
    """Over the views in which a sample has a score; undefined, with the first view's reason, where it has none."""
    defined = torch.tensor([[reason is None for reason in score.reasons] for score in scores])
    values = torch.stack([score.values for score in scores]).where(defined, torch.nan)
    controls = torch.stack([score.control for score in scores if score.control is not None]).where(defined, torch.nan)
    reasons: Reasons = tuple(
        None if any(column) else scores[0].reasons[sample] for sample, column in enumerate(defined.T.tolist())
    )
    return Score(_nanmean(values), reasons, control=_nanmean(controls))


def _nanmean(values: Tensor) -> Tensor:
    """(V, N) -> (N,): over the views; NaN where none is defined."""
    defined = ~values.isnan()
    return values.nan_to_num(0).sum(0) / defined.sum(0)
