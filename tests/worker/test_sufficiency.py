"""Sufficiency through the engine: a network that reads one place, and an independent implementation of its curves."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import Protocol
from app.domain.vocabulary import CamMethod, UndefinedReason
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

SHARES = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75)
PROTOCOL = Protocol.model_validate({"seed": 3, "micro_batch": 4, "measures": {"sufficiency": {}}})
SIZE, STRIDE, CELLS = 112, 16, 7
SAMPLES = 12
LEVEL = 128


class CountsBright(nn.Module):
    """Its second class is how much brighter than mid grey some cell is; salience is the cells' brightness."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, STRIDE, stride=STRIDE)
        nn.init.constant_(self.mean.weight, 1 / (3 * STRIDE**2))
        self.mean.bias = nn.Parameter(torch.tensor([-LEVEL / 255]))
        self.head = nn.Linear(1, 2)
        self.head.weight = nn.Parameter(torch.tensor([[0.0], [800.0]]))
        self.head.bias = nn.Parameter(torch.tensor([4.0, 0.0]))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.mean(images).relu().mean((2, 3)))
        return logits


def _images() -> Tensor:
    """Grey, with one bright cell somewhere; the last has none."""
    images = np.full((SAMPLES, 3, SIZE, SIZE), LEVEL, np.uint8)
    generator = np.random.default_rng(1)
    images -= generator.integers(0, 20, images.shape, dtype=np.uint8)
    for image in images[:-1]:
        row, column = generator.integers(0, CELLS, 2) * STRIDE
        image[:, row : row + STRIDE, column : column + STRIDE] = 250
    return torch.from_numpy(images)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    hook = TargetHook(CountsBright().eval(), input_size=SIZE)
    auditor = ModelAuditor(
        make_explainer(CamMethod.GRADCAM, hook),
        Normalisation(Preprocessing(input_size=SIZE, mean=(0.0,), std=(1.0,))),
        PROTOCOL,
        (0, 1),
    )
    names = tuple(str(number) for number in range(SAMPLES))
    return auditor.audit(ImageBatch(_images(), names), torch.tensor([1] * (SAMPLES - 1) + [0]))


def _softmax(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Of class 1, by NumPy."""
    cells = images.astype(np.float64).reshape(-1, 3, CELLS, STRIDE, CELLS, STRIDE).mean((1, 3, 5)) / 255 - LEVEL / 255
    logit = 800 * np.maximum(cells, 0).mean((1, 2)) - 4
    return np.asarray(1 / (1 + np.exp(-logit)))


def test_the_bright_cell_alone_is_enough(outcome: Outcome) -> None:
    """Its map is one cell, 2% of 7 x 7: kept, the prediction comes back; removed, it goes."""
    kept = outcome.scores["sufficiency", "kept@0.05"]
    removed = outcome.scores["sufficiency", "removed@0.05"]
    assert kept.values[:-1].min() > 0.95
    assert removed.values[:-1].max() < 0.05
    assert kept.control is not None
    assert kept.control[:-1].mean() < 0.4
    assert outcome.scores["sufficiency", "kept"].values[:-1].min() > 0.95
    assert kept.reasons[-1] is not None, "without a bright cell there is no map"


def test_curves_equal_an_independent_implementation(outcome: Outcome) -> None:
    """Pixels in the order of the stored map through Pillow, ties aside: the salient cell is far above all others."""
    images = _images().numpy()[:-1]
    fill = np.full_like(images, LEVEL)
    whole, empty = _softmax(images), _softmax(fill)
    for name, order in (("kept", 1), ("removed", -1)):
        points = []
        for share in SHARES:
            view = outcome.scores["sufficiency", f"{name}@{share}"]
            points.append(view.values[:-1].numpy())
        ends = ([0.0], [1.0])[::order]
        curve = np.concatenate([np.tile(ends[0], (len(images), 1)), np.stack(points, 1), np.tile(ends[1], (11, 1))], 1)
        area = np.trapezoid(curve, [0, *SHARES, 1], axis=1)
        np.testing.assert_allclose(outcome.scores["sufficiency", name].values[:-1], area, atol=1e-12)
    bright = (images == 250).all(1, keepdims=True)
    only = (_softmax(np.where(bright, images, fill)) - empty) / (whole - empty)
    np.testing.assert_allclose(outcome.scores["sufficiency", "kept@0.75"].values[:-1], np.minimum(only, 1), atol=0.02)


def test_arrangement_and_colour_do_not_matter_to_it(outcome: Outcome) -> None:
    for view in ("without_arrangement", "without_colour"):
        assert outcome.scores["sufficiency", view].values[:-1].min() > 0.99


def test_a_fill_that_says_the_same_is_no_score() -> None:
    """Where the fill alone is as bright as the image, nothing rises."""
    hook = TargetHook(CountsBright().eval(), input_size=SIZE)
    auditor = ModelAuditor(
        make_explainer(CamMethod.GRADCAM, hook),
        Normalisation(Preprocessing(input_size=SIZE, mean=(1.0,), std=(1.0,))),
        PROTOCOL,
        (0, 1),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            Normalisation, "__call__", Normalisation(Preprocessing(input_size=SIZE, mean=(0.0,), std=(1.0,))).__call__
        )
        found = auditor.audit(ImageBatch(_images()[:4], tuple("abcd")), torch.ones(4, dtype=torch.int64))
    assert set(found.scores["sufficiency", "kept"].reasons) == {UndefinedReason.FILL_SUFFICES}
