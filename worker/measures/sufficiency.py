"""How much of the image is enough for the prediction, and is it what the map points at.

Beside the paper; after RISE's insertion and deletion (Petsiuk et al. 2018). Scores are softmax of the class that is
predicted for the whole image, from the fill alone (0) to the whole image (1).
"""

import numpy as np
import torch
from numpy.typing import NDArray

from app.domain.measures.sufficiency import AREAS, KEPT, LABEL_AREAS, SufficiencySettings
from app.domain.views.families import FILL
from app.domain.vocabulary import CLEAN, Reasons, UndefinedReason
from worker.functional.sufficiency import area_under, risen
from worker.measures.base import Score, Seen

Floats = NDArray[np.float64]

ENDS = {KEPT: (0.0, 1.0), "removed": (1.0, 0.0)}


def sufficiency(settings: SufficiencySettings, seen: Seen) -> dict[str, Score]:
    """The curves' points, their areas for the predicted class and for the label, and what is left without a part.

    A point is (p(view) - p(fill)) / (p(image) - p(fill)), clipped to [-1, 1], with p the softmax of the class that is
    predicted for the whole image; an area is the trapezoidal integral of points over the share of pixels, from 0 to 1.
    Scores (N,) float64 in [-1, 1]: high is better where pixels are kept, low where they are removed. The control of a
    point or area is the same for cells in random order. Undefined where p rises by less than 0.1 from the fill to the
    image. After insertion and deletion of Petsiuk et al. 2018, section 4.3.
    """
    scores: dict[str, Score] = {}
    for names, of_label in ((AREAS, False), (LABEL_AREAS, True)):
        for name, order in zip(names, AREAS, strict=True):
            points = _risen(settings.curve(order), seen, of_label=of_label)
            controls = _risen(settings.curve(f"{order}_random"), seen, of_label=of_label)
            shares = np.array(settings.shares)
            areas = [area_under(shares, curve, ENDS[order]) for curve in (points, controls)]
            scores[name] = _score(areas[0], areas[1], seen)
            if not of_label:
                views = enumerate(settings.curve(order))
                scores |= {view: _score(points[:, place], controls[:, place], seen) for place, view in views}
    whole = _risen(settings.whole, seen, of_label=False)
    return scores | {view: _score(whole[:, place], None, seen) for place, view in enumerate(settings.whole)}


def _risen(views: tuple[str, ...], seen: Seen, *, of_label: bool) -> Floats:
    """(N, V) float64 in [-1, 1] for V views; NaN where the score rises too little from the fill to the whole image."""
    columns = [
        (answers.label if of_label else answers.followed).cpu().numpy()
        for answers in (seen.answers[view] for view in (FILL, CLEAN, *views))
    ]
    return np.clip(risen(np.stack(columns[2:], 1), columns[0], columns[1]), -1.0, 1.0)


def _score(values: Floats, controls: Floats | None, seen: Seen) -> Score:
    """Of values and controls (N,), undefined where the map is or a value is NaN."""
    reasons: Reasons = tuple(
        reason or (UndefinedReason.FILL_SUFFICES if undefined else None)
        for reason, undefined in zip(seen.clean.reasons, np.isnan(values).tolist(), strict=True)
    )
    return Score(torch.from_numpy(values), reasons, None if controls is None else torch.from_numpy(controls))
