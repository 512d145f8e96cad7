"""Maps of several subjects brought to one size, and scores that were made without torch."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from worker.functional.similarities import resampled, smallest
from worker.given.comparing import Compared
from worker.given.lists import MapList
from worker.measures.base import Score
from worker.views.maps import SalienceMaps


def map_list(maps: SalienceMaps) -> MapList:
    """Of maps that a model gave."""
    native = maps.native.numpy()
    return MapList(list(native), maps.reasons, [None] * len(native))


def score_of(one: Compared) -> Score:
    """The same numbers."""
    return Score(torch.from_numpy(np.nan_to_num(one.values)), one.reasons)


def at_one_size(maps: Sequence[SalienceMaps]) -> list[SalienceMaps]:
    """The maps of several subjects for the same samples, at their smallest size; those that have it as they are."""
    size = smallest(tuple(one.native.shape[1:]) for one in maps)
    return [
        one
        if tuple(one.native.shape[1:]) == size
        else replace(one, native=torch.from_numpy(resampled(one.native.cpu().numpy(), size)), _shared={})
        for one in maps
    ]
