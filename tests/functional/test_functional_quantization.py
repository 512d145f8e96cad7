"""Maps between 0 and 1 and in 8 bits: by hand, at the edges of float32, and whatever the batch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from worker.functional.quantization import min_max, to_8bit

FLOATS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    elements=st.floats(-1e6, 1e6, width=32),
)


def test_by_hand() -> None:
    maps, constant = min_max(torch.tensor([[[2.0, 4.0], [3.0, 6.0]]]))
    assert maps.tolist() == [[[0.0, 0.5], [0.25, 1.0]]]
    assert constant.tolist() == [False]
    # 0.5 * 255 = 127.5 and 0.25 * 255 = 63.75 are truncated, not rounded.
    assert to_8bit(maps).tolist() == [[[0, 127], [63, 255]]]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_maps_without_salience_are_zeros_and_leave_their_neighbours_alone(bad: float) -> None:
    raw = torch.stack([torch.full((3, 3), 7.0), torch.eye(3), torch.eye(3), torch.zeros(3, 3)])
    raw[2, 1, 1] = bad
    maps, constant = min_max(raw)
    assert constant.tolist() == [True, False, True, True]
    assert torch.equal(maps, torch.stack([torch.zeros(3, 3), torch.eye(3), torch.zeros(3, 3), torch.zeros(3, 3)]))


def test_span_beyond_float32_is_undefined_rather_than_nan() -> None:
    maps, constant = min_max(torch.tensor([[[-3e38, 3e38]]]))
    assert constant.tolist() == [True]
    assert not maps.any()


def test_smallest_span_reaches_both_ends() -> None:
    tiny = float(np.finfo(np.float32).smallest_subnormal)
    maps, constant = min_max(torch.tensor([[[0.0, tiny]]]))
    assert constant.tolist() == [False]
    assert maps.tolist() == [[[0.0, 1.0]]]


@given(FLOATS)
def test_range_and_batch_of_singles(raw: np.ndarray) -> None:
    batch = torch.from_numpy(raw)
    maps, constant = min_max(batch)
    assert maps.dtype == torch.float32
    for single, one, flag in zip(batch, maps, constant, strict=True):
        assert torch.equal(min_max(single[None])[0][0], one)
        assert bool(flag) == bool(single.max() == single.min())
        assert (one.min(), one.max()) == ((0, 0) if flag else (0, 1))
    assert np.array_equal(to_8bit(maps).numpy(), (maps.numpy() * np.float32(255)).astype(np.uint8))
