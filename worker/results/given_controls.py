"""The control of a pairing of map sets, such as the stability of annotators: one's map with the other's of another
sample."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.domain.similarities import Similarity
from app.domain.subjects import Pairing
from app.domain.vocabulary import ACROSS_MODELS
from app.imaging.entries import Ranges
from app.results.inputs import AuditInputs
from worker.functional.derangement import ALONE
from worker.given.comparing import compared
from worker.results.drawn_maps import DrawnMaps, largest_cells

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def control_of_given(session: Session, blobs: Ranges, inputs: AuditInputs, pairing: Pairing) -> Floats:
    """Per sample, the mean over pairs i < j of SSIM(map of set i, map of set j of another sample of the same label).

    Each pair at its own smaller size, as 8 bits. (N,), NaN where a sample was not drawn, has no score or no partner, or
    maps are smaller than a window.
    """
    cells = largest_cells(session, inputs)
    drawn = DrawnMaps(session, blobs, inputs, [min(cells[one], cells[other]) for one, other in pairing.pairs])
    columns = inputs.protocol.pairing_columns()
    partners = drawn.partners(ACROSS_MODELS, [columns.index(pairing.column)])
    controls = np.full(inputs.audit.sample_count, np.nan)
    for block in drawn.blocks(max(cells)):
        places = block.start + np.flatnonzero(partners[block] != ALONE)
        if places.size:
            controls[drawn.ordinals[places]] = _mean(drawn, sorted(pairing.members), places, partners[places])
    return controls


def _mean(drawn: DrawnMaps, members: Sequence[int], places: Integers, partners: Integers) -> Floats:
    own, others = ([drawn.maps(place, numbers.tolist()) for place in members] for numbers in (places, partners))
    pairs = [(own[i], others[j]) for i, j in combinations(range(len(members)), 2)]
    return np.asarray(np.mean([one[Similarity.SSIM].values for one in compared(pairs, (Similarity.SSIM,))], axis=0))
