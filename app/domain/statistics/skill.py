"""How far a score stands above its control, as a share of what was possible (Murphy 1988's skill score).

``skill = (score - control) / (1 - control)`` of two means: 1 is perfect, 0 no better than the control, below 0 worse.
"""

import numpy as np

from app.domain.statistics.aggregates import Floats

NO_ROOM = 0.95
"""A control above this leaves no room in which a score could tell anything."""


def skill(score: float | None, control: float | None) -> float | None:
    """None where either is missing, or where the control leaves no room and the score is there too.

    A map that never moves has a control of 1. Where its score lies clearly below, by more than the room that counts,
    1 - control counts as 0.05: the skill is far below 0, as it should be, and not missing.
    """
    if score is None or control is None:
        return None
    value = skills(np.array([score]), np.array([control]))[0]
    return None if np.isnan(value) else float(value)


def skills(scores: Floats, controls: Floats) -> Floats:
    """`skill` for arrays of one shape, NaN where there is none."""
    room = 1 - NO_ROOM
    cramped = (controls > NO_ROOM) & ~(scores < controls - room)
    values: Floats = (scores - controls) / np.maximum(1 - controls, room)
    return np.where(cramped, np.nan, values)


def skill_interval(scores: Floats, controls: Floats) -> tuple[float | None, float | None]:
    """2.5% and 97.5% quantiles over resampled means (R,) of both; None where none of them has a skill."""
    known = skills(scores, controls)
    known = known[~np.isnan(known)]
    if not known.size:
        return None, None
    low, high = np.quantile(known, [0.025, 0.975]).tolist()
    return low, high
