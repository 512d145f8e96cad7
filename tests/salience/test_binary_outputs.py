"""One logit is the same detector, and has the same salience, as its rewriting into two rows."""

import math
from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.special import expit
from torch import Tensor, nn

from app.domain.models.outputs import Output
from app.domain.vocabulary import CamMethod, ClassScore, OutputKind
from tests.salience.conftest import SIDE
from worker.functional.quantization import min_max
from worker.salience import CAM_METHODS, make_explainer
from worker.salience.decisions import Decisions
from worker.salience.hook import TargetHook

# FullGrad and Score-CAM depend on the scale of the scores, as Grad-CAM++ does.
SCALE_FREE = [method for method in CAM_METHODS if method is not CamMethod.GRADCAM_PLUS_PLUS]
LIBRARY = [CamMethod.EIGENGRADCAM, CamMethod.GRADCAM_ELEMENTWISE]


class Detector(nn.Module):
    """Convolutions, pooling, one logit."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.features = nn.Sequential(nn.Conv2d(3, 6, 9, stride=8), nn.ReLU(), nn.Conv2d(6, 8, 5, stride=2), nn.ReLU())
        self.head = nn.Linear(8, 1)
        self.last: nn.Module = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        logit: Tensor = self.last(self.head(self.features(images).mean((2, 3))))
        return logit


def in_two_rows(one: Detector) -> nn.Module:
    """(-z/2, z/2), whose softmax is (1 - sigmoid(z), sigmoid(z))."""
    two = deepcopy(one)
    two.head = nn.Linear(8, 2)
    with torch.no_grad():
        two.head.weight.copy_(torch.cat([-one.head.weight, one.head.weight]) / 2)
        two.head.bias.copy_(torch.cat([-one.head.bias, one.head.bias]) / 2)
    return two.eval()


@pytest.fixture(scope="module")
def one(photographs: Tensor) -> Detector:
    """Its logits lie on both sides of zero."""
    detector = Detector().eval()
    with torch.no_grad():
        detector.head.bias.sub_(detector(photographs).median() - 1e-3)
    signs = detector(photographs).detach()[:, 0].sign().tolist()
    assert {-1.0, 1.0} == set(signs)
    return detector


@pytest.mark.parametrize("method", [*SCALE_FREE, *LIBRARY])
def test_equal_to_the_two_rows(method: CamMethod, one: Detector, photographs: Tensor) -> None:
    binary = TargetHook(one, input_size=SIDE, output=Output(kind=OutputKind.BINARY))
    for target in (None, torch.tensor([0, 0, 0]), torch.tensor([1, 1, 1])):
        found = make_explainer(method, binary).explain(photographs, target)
        expected = make_explainer(method, TargetHook(in_two_rows(one), input_size=SIDE)).explain(photographs, target)
        assert torch.equal(found.predicted, expected.predicted)
        torch.testing.assert_close(min_max(found.maps)[0], min_max(expected.maps)[0], rtol=0, atol=1e-6)


def test_a_threshold_moves_the_decision_and_not_the_score(one: Detector, photographs: Tensor) -> None:
    logits = one(photographs).detach()
    z = logits[:, 0].double().numpy()
    threshold = float(expit(np.sort(z)[-2:].mean()))
    output = Output(kind=OutputKind.BINARY, threshold=threshold)
    found = make_explainer(CamMethod.GRADCAM, TargetHook(one, input_size=SIDE, output=output)).explain(
        photographs, None
    )
    assert found.predicted.tolist() == (expit(z) > threshold).astype(int).tolist()
    assert found.predicted.sum() == 1
    shifted = z - math.log(threshold / (1 - threshold))
    np.testing.assert_allclose(found.logits.numpy(), np.stack([-shifted, shifted], 1), rtol=1e-12)
    for wanted in ClassScore:
        scores = Decisions(output).class_scores(found.logits, wanted).numpy()
        np.testing.assert_allclose(scores[:, 1], expit(z), rtol=1e-14)
        np.testing.assert_allclose(scores.sum(1), 1, rtol=1e-15)


def test_at_the_threshold_the_negative_class_is_predicted() -> None:
    decided = Decisions(Output(kind=OutputKind.BINARY)).of(torch.tensor([[0.0], [1e-30], [-1e-30], [torch.nan]]))
    assert decided.argmax(1)[:3].tolist() == [0, 1, 0]
    assert decided.isnan().any(1).tolist() == [False, False, False, True]


def test_scores_are_taken_before_a_final_sigmoid(one: Detector, photographs: Tensor) -> None:
    behind = deepcopy(one)
    behind.last = nn.Sigmoid()
    output = Output(kind=OutputKind.BINARY)
    found, expected = (
        make_explainer(CamMethod.GRADCAM, TargetHook(network, input_size=SIDE, output=output)).explain(
            photographs, None
        )
        for network in (behind, one)
    )
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.maps, expected.maps)
