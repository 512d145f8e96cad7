"""Methods whose maps have several sizes, against scikit-image: each pair at the smaller size of its own two."""

from itertools import combinations

import numpy as np
import pytest
import torch
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity

from app.domain.audits.subjects import Pairing
from app.domain.measures import AGREEMENT
from app.domain.measures.agreement import AgreementSettings
from worker.engine import pairings
from worker.engine.comparing import at_size
from worker.engine.pairings import paired
from worker.views.maps import SalienceMaps

SIDES = (7, 7, 14, 28)


def test_each_pair_is_compared_at_its_own_smaller_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """What two smaller ones ask for at one size is resampled once."""
    made: list[tuple[int, int]] = []

    def counting(one: SalienceMaps, size: tuple[int, int]) -> SalienceMaps:
        made.append((len(one.native[0]), size[0]))
        return at_size(one, size)

    monkeypatch.setattr(pairings, "at_size", counting)
    generator = np.random.default_rng(0)
    maps = [generator.random((2, side, side), np.float32) for side in SIDES]
    seen = [[SalienceMaps(torch.from_numpy(one), (None, None), 56)] for one in maps]
    [column] = AGREEMENT.columns(AgreementSettings())
    found = paired(Pairing(column, (tuple(range(len(SIDES))),)), seen)
    assert sorted(made) == [(7, 7), (7, 7), (14, 7), (14, 14), (28, 7), (28, 14)]
    for sample in range(2):
        expected = []
        for one, other in combinations(maps, 2):
            side = min(len(one[0]), len(other[0]))
            small = [block_reduce(own[sample].astype(np.float64), len(own[0]) // side, np.mean) for own in (one, other)]
            levels = [(own.astype(np.float32) * np.float32(255)).astype(np.uint8) for own in small]
            expected.append(structural_similarity(*levels, data_range=255))
        np.testing.assert_allclose([float(pair.values[sample]) for pair in found.pairs], expected, atol=1e-9)
        np.testing.assert_allclose(float(found.score.values[sample]), np.mean(expected), atol=1e-9)
