"""Equivariance through the engine: a network that follows, one that stands still, and an independent implementation."""

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from prepare import named_images
from scipy.stats import pearsonr
from torch import Tensor, nn

from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise
from app.domain.vocabulary import CamMethod
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

PROTOCOL = Protocol.model_validate({"micro_batch": 4, "measures": {"equivariance": {}}})
SIZE, STRIDE, CELLS = 112, 16, 7
SAMPLES = 16
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


class Follows(nn.Module):
    """Salience is the brightness of each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, STRIDE, stride=STRIDE, bias=False)
        nn.init.constant_(self.mean.weight, 1 / (3 * STRIDE**2))
        self.head = nn.Linear(1, 2, bias=False)
        nn.init.constant_(self.head.weight, 1.0)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.place(self.mean(images).relu()).mean((2, 3)))
        return logits

    def place(self, cells: Tensor) -> Tensor:
        return cells + 0


class StandsStill(Follows):
    """Salience is where a drawn pattern says, however the image moves; a little of it is the image's."""

    def __init__(self) -> None:
        super().__init__()
        pattern = torch.rand(1, 1, CELLS, CELLS, generator=torch.Generator().manual_seed(1))
        self.pattern = nn.Parameter(pattern)

    def place(self, cells: Tensor) -> Tensor:
        return cells * 0.01 + self.pattern


def _audit(module: nn.Module) -> tuple[Outcome, Tensor]:
    pictures = list(named_images().values())[:: 200 // SAMPLES][:SAMPLES]
    images = np.stack([np.asarray(one.convert("RGB").resize((SIZE, SIZE))) for one in pictures])
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    hook = TargetHook(module.eval(), input_size=SIZE)
    assert hook.stride == (STRIDE, STRIDE)
    auditor = ModelAuditor(
        make_explainer(CamMethod.GRADCAM, hook),
        Normalisation(Preprocessing(input_size=SIZE, mean=(0.0,), std=(1.0,))),
        PROTOCOL,
        (0, 1),
    )
    names = tuple(str(number) for number in range(SAMPLES))
    return auditor.audit(ImageBatch(pixels, names), torch.zeros(SAMPLES, dtype=torch.int64)), pixels


def _brightness(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N, 3, S, S) -> the mean brightness of each cell, scaled to [0, 1]: the map of `Follows`, by NumPy alone."""
    cells = images.astype(np.float64).reshape(len(images), 3, CELLS, STRIDE, CELLS, STRIDE).mean((1, 3, 5))
    low, high = cells.min((1, 2), keepdims=True), cells.max((1, 2), keepdims=True)
    return np.asarray((cells - low) / (high - low))


def _rows(outcome: Outcome) -> dict[tuple[str, str], dict[str, Any]]:
    columns = PROTOCOL.columns()
    scores = [outcome.scores[column.measure, column.view] for column in columns]
    values = np.stack([score.values.numpy() for score in scores], 1)
    controls = np.stack([score.control.numpy() for score in scores if score.control is not None], 1)
    table = ScoreTable("model", columns, values, controls, np.zeros_like(values))
    groups = Groups(("a",) * SAMPLES, (None,) * SAMPLES)
    rows = summarise(table, groups, 0).rows
    return {(row["view"], row["group"]): dict(row) for row in rows}


def _opencv_moved(pixels: Tensor, right: int, down: int) -> NDArray[np.uint8]:
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    views = [
        cv2.warpAffine(one.permute(1, 2, 0).numpy(), matrix, (SIZE, SIZE), flags=0, borderMode=cv2.BORDER_REPLICATE)
        for one in pixels
    ]
    return np.stack(views).transpose(0, 3, 1, 2).astype(np.uint8)


def _expected(clean: NDArray[np.float64], moved: NDArray[np.float64], step: tuple[int, int]) -> tuple[float, float]:
    """Score and control by SciPy: shifted right by k, columns 0 .. W - k - 1 against columns k .. W - 1, and 0 ..."""
    right, down = step
    axis, count = (1, right) if right else (0, down)
    whole = np.arange(CELLS)
    seen, again = (whole[: CELLS - count], whole[count:]) if count > 0 else (whole[-count:], whole[: CELLS + count])
    reference = clean.take(seen, axis).ravel()
    parts = (moved.take(again, axis).ravel(), moved.take(seen, axis).ravel())
    return pearsonr(reference, parts[0])[0], pearsonr(reference, parts[1])[0]


@pytest.mark.filterwarnings("ignore:An input array is constant", "ignore:invalid value")
def test_scores_equal_an_independent_implementation() -> None:
    """OpenCV moves the image, NumPy makes the map, SciPy correlates. A picture is nearly flat."""
    outcome, pixels = _audit(Follows())
    clean = _brightness(pixels.numpy())
    for direction, (right, down) in DIRECTIONS.items():
        for count in (1, 2, 3):
            moved = _brightness(_opencv_moved(pixels, right * count * STRIDE, down * count * STRIDE))
            score = outcome.scores["equivariance", f"cells_{count}_{direction}"]
            assert score.control is not None
            pairs = zip(clean, moved, strict=True)
            expected = np.array([_expected(*pair, (right * count, down * count)) for pair in pairs])
            np.testing.assert_allclose(score.values, expected[:, 0], atol=1e-3)
            np.testing.assert_allclose(score.control, expected[:, 1], atol=1e-3)
            assert [reason is not None for reason in score.reasons] == np.isnan(expected[:, 0]).tolist()
    flipped = outcome.scores["equivariance", "flip_horizontal"].control
    assert flipped is not None
    mirrored = [pearsonr(one.ravel(), np.fliplr(one).ravel())[0] for one in clean]
    np.testing.assert_allclose(flipped, mirrored, atol=1e-3)


def test_skill_tells_what_follows_from_what_stands_still() -> None:
    follows, still = (_rows(_audit(module)[0]) for module in (Follows(), StandsStill()))
    best = follows["shifts", "micro"]
    assert best["skill"] == pytest.approx(1.0, abs=1e-5)
    assert best["skill"] == pytest.approx((best["mean"] - best["control_mean"]) / (1 - best["control_mean"]))
    assert best["skill_low"] <= best["skill"] <= best["skill_high"] + 1e-9
    assert follows["flip_horizontal", "a"]["skill"] == pytest.approx(1.0, abs=1e-5)
    assert still["shifts", "macro"]["skill"] < -5
    assert still["shifts", "macro"]["skill_high"] < 0
