"""Shifts and turns of images: the pixels of OpenCV, and what stays inside comes back."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from worker.functional.geometry import (
    compared_region,
    flip_horizontal,
    flip_vertical,
    rotate_90_ccw,
    rotate_90_cw,
    shift,
)

STEPS = st.integers(-9, 9)


def opencv_shift(image: np.ndarray, right: int, down: int) -> np.ndarray:
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE))


@pytest.mark.parametrize(("right", "down"), [(16, 0), (-16, 0), (0, 16), (0, -16), (16, -16), (-16, 16), (1, -3)])
def test_shift_equals_opencv(photographs: Tensor, right: int, down: int) -> None:
    got = shift(photographs, right, down).permute(0, 2, 3, 1).numpy()
    images = photographs.permute(0, 2, 3, 1).contiguous().numpy()
    assert np.array_equal(got, np.stack([opencv_shift(image, right, down) for image in images]))


def test_shift_by_hand() -> None:
    image = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert shift(image, 1, 0).tolist() == [[1, 1, 2], [4, 4, 5], [7, 7, 8]]
    assert shift(image, 0, -1).tolist() == [[4, 5, 6], [7, 8, 9], [7, 8, 9]]
    assert shift(image, -5, 5).tolist() == [[3, 3, 3]] * 3


TURNS = [
    (flip_horizontal, lambda image: cv2.flip(image, 1)),
    (flip_vertical, lambda image: cv2.flip(image, 0)),
    (rotate_90_cw, lambda image: cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)),
    (rotate_90_ccw, lambda image: cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)),
]


@pytest.mark.parametrize(("ours", "opencv"), TURNS)
def test_turns_equal_opencv(
    photographs: Tensor, ours: Callable[[Tensor], Tensor], opencv: Callable[[np.ndarray], np.ndarray]
) -> None:
    images = photographs[:, :, :200]
    for image, got in zip(images, ours(images), strict=True):
        assert np.array_equal(got.permute(1, 2, 0).numpy(), opencv(image.permute(1, 2, 0).contiguous().numpy()))


@given(STEPS, STEPS)
def test_what_stays_inside_comes_back(right: int, down: int) -> None:
    image = torch.arange(100).view(1, 10, 10)
    rows, columns = compared_region(right, down, 10)
    back = shift(shift(image, right, down), -right, -down)
    # In the clean image's frame, the kept part is what the shift did not push out.
    assert torch.equal(back[..., rows, columns], image[..., rows, columns])
    assert image[..., rows, columns].numel() == (10 - abs(right)) * (10 - abs(down))


@given(st.integers(1, 9), st.integers(1, 9))
def test_turns_undo_each_other(height: int, width: int) -> None:
    image = torch.arange(2 * height * width).view(2, height, width)
    for there, back in [(flip_horizontal,) * 2, (flip_vertical,) * 2, (rotate_90_cw, rotate_90_ccw)]:
        assert torch.equal(back(there(image)), image)
        assert there(image).is_contiguous()
