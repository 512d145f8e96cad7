"""ReciproCAM against its formula, computed cell by cell, and on networks of every layout."""

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import get_model

from app.domain.maps import cam_methods
from app.domain.models.outputs import CLASSES, Output
from app.domain.vocabulary import CamMethod, OutputKind
from worker.salience import make_explainer
from worker.salience.hook import TargetHook


class Headed(nn.Module):
    """A head of two linear layers, behind a feature map of 4 x 3 cells."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 5, 8, (8, 10)), nn.ReLU())
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, outputs)
        )

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.head(self.body(images))
        return found


def headed(outputs: int = 3) -> Headed:
    torch.manual_seed(5)
    return Headed(outputs).eval()


@pytest.mark.parametrize(
    ("outputs", "output", "score"),
    [
        (3, CLASSES, lambda logits, wanted: logits.double().softmax(0)[wanted]),
        (1, Output(kind=OutputKind.BINARY), lambda logits, wanted: (logits[0] * (2 * wanted - 1)).double().sigmoid()),
    ],
)
def test_every_cell_is_the_score_of_the_head_that_sees_it_alone(outputs: int, output: Output, score: object) -> None:
    network, images = headed(outputs), torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(6))
    wanted = torch.tensor([1, 0, 1])
    explainer = make_explainer(CamMethod.RECIPROCAM, TargetHook(network, input_size=32, output=output))
    found = explainer.explain(images, wanted)
    with torch.no_grad():
        features = network.body(images)
        expected = torch.zeros(3, *features.shape[2:], dtype=torch.float64)
        for image in range(3):
            for row in range(features.shape[2]):
                for column in range(features.shape[3]):
                    alone = torch.zeros_like(features[:1])
                    alone[0, :, row, column] = features[image, :, row, column]
                    expected[image, row, column] = score(network.head(alone)[0], int(wanted[image]))  # type: ignore[operator]
    expected -= expected.amin((1, 2), keepdim=True)
    assert found.maps.shape == (3, 4, 3)
    assert torch.allclose(found.maps.double(), expected, rtol=1e-4, atol=1e-8)
    assert torch.equal(found.predicted, explainer.decisions.of(network(images)).argmax(1))


def test_a_batch_is_its_images_one_by_one() -> None:
    explainer = make_explainer(CamMethod.RECIPROCAM, TargetHook(headed(), input_size=32))
    images = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(7))
    alone = [explainer.explain(images[place : place + 1], None).maps for place in range(3)]
    assert torch.equal(explainer.explain(images, None).maps, torch.cat(alone))


def test_many_cells_go_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    explainer = make_explainer(CamMethod.RECIPROCAM, TargetHook(headed(), input_size=32))
    image = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(8))
    whole = explainer.explain(image, None)
    monkeypatch.setattr(cam_methods, "HEAD_NUMBERS", 5 * 5 * 12)
    parts = explainer.explain(image, None)
    assert torch.allclose(whole.maps, parts.maps, rtol=1e-4, atol=1e-8)
    assert torch.allclose(whole.logits, parts.logits, atol=1e-6)


def test_tokens_keep_those_before_the_grid() -> None:
    """A vision transformer's last block sees the class token whole, and one cell."""
    torch.manual_seed(0)
    network = get_model("vit_b_32", weights=None, image_size=64, num_classes=3).eval()
    nn.init.normal_(network.heads.head.weight)
    explainer = make_explainer(CamMethod.RECIPROCAM, TargetHook(network, input_size=64))
    found = explainer.explain(torch.randn(2, 3, 64, 64), None)
    assert found.maps.shape == (2, 2, 2)
    assert (found.maps.amax((1, 2)) > 0).all()
