"""Stability's control: high where maps ignore the image, low where runs agree on each image."""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import structural_similarity

from worker.functional.derangement import derangement
from worker.functional.map_similarity import Windows, windows_of
from worker.results import pair_controls as module
from worker.results.pair_controls import pair_controls


@pytest.mark.parametrize("side", [7, 9, 4])
def test_against_scikit_image(side: int) -> None:
    """Three runs, two labels; of maps under 7 x 7 at the input's resolution."""
    generator = np.random.default_rng(side)
    runs = [generator.integers(0, 256, (12, side, side), dtype=np.uint8) for _ in range(3)]
    runs[1][5] = 0
    groups = np.array([0, 1] * 6)
    found = pair_controls(dict(enumerate(runs)), [*combinations(range(3), 2)], groups, 28, 3)
    without = np.where(np.arange(12) == 5, -1, groups)
    partners = derangement(without, 3)

    def levels(run: int, sample: int) -> NDArray[np.uint8]:
        own = runs[run][sample]
        return own if side >= 7 else np.asarray(Image.fromarray(own).resize((28, 28), Image.Resampling.BICUBIC))

    for sample in range(12):
        pairs = [
            structural_similarity(levels(i, sample), levels(j, int(partners[sample])), data_range=255)
            for i, j in combinations(range(3), 2)
        ]
        expected = np.nan if sample == 5 else np.mean(pairs)
        np.testing.assert_allclose(found[sample], expected, atol=1e-9)
        assert sample == 5 or groups[partners[sample]] == groups[sample]


def test_a_fixed_map_has_a_control_as_high_as_its_stability() -> None:
    generator = np.random.default_rng(1)
    own = generator.random((40, 7, 7))
    fixed = generator.random((1, 7, 7)).repeat(40, 0)
    labels = np.zeros(40, np.int64)
    ignoring = [(255 * (fixed + 0.02 * generator.random((40, 7, 7))).clip(0, 1)).astype(np.uint8) for _ in range(2)]
    looking = [(255 * (own + 0.02 * generator.random((40, 7, 7))).clip(0, 1)).astype(np.uint8) for _ in range(2)]
    assert control_of(ignoring, labels).mean() > 0.95
    assert abs(control_of(looking, labels).mean()) < 0.1
    assert np.isnan(control_of([run[:1] for run in looking], labels[:1])).all()


def control_of(runs: list[NDArray[np.uint8]], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    return pair_controls(dict(enumerate(runs)), [(0, 1)], labels, 224, 0)


def test_a_run_is_made_ready_once_for_all_its_pairs_and_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """On either side of them; the parts change no bit."""
    generator = np.random.default_rng(2)
    runs = {run: generator.integers(1, 256, (12, 8, 9), dtype=np.uint8) for run in "abcd"}
    pairs, labels, made = [*combinations("abcd", 2)], np.zeros(12, np.int64), []

    def counting(maps: NDArray[np.uint8]) -> Windows:
        made.append(len(maps))
        return windows_of(maps)

    monkeypatch.setattr(module, "windows_of", counting)
    whole = pair_controls(runs, pairs, labels, 224, 0)
    assert made == [12] * 6  # three runs are a pair's first, three its second
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 5 * 4 * 8 * 9)
    assert np.array_equal(pair_controls(runs, pairs, labels, 224, 0), whole)
    assert made[6:] == [5] * 6 + [5] * 6 + [2] * 6
