"""A third kind of subject: one model asked for two classes. Which class the other is, and a network made by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from torch import Tensor, nn
from torchvision.models import VisionTransformer

from app.domain.audits.subjects import pairings_of, subjects_of
from app.domain.models.outputs import Output
from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.vocabulary import CamMethod, Explained, OutputKind, UndefinedReason
from worker.functional.quantization import min_max, to_8bit
from worker.measures import PAIRINGS
from worker.measures.base import PairScores
from worker.salience import make_explainer
from worker.salience.hook import TargetHook
from worker.salience.other_class import OtherClassExplainer, other_class
from worker.views.maps import SalienceMaps

SIZE, STRIDE = 112, 16
SAMPLES = 3


class Weighted(nn.Module):
    """Two feature maps, the brightness of the left half and of the right; ``rows`` weigh them for each class."""

    def __init__(self, rows: list[list[float]]) -> None:
        super().__init__()
        self.mean = nn.Conv2d(3, 1, STRIDE, stride=STRIDE, bias=False)
        nn.init.constant_(self.mean.weight, 1 / (3 * STRIDE**2))
        self.head = nn.Linear(2, len(rows), bias=False)
        self.head.weight = nn.Parameter(torch.tensor(rows))

    def forward(self, images: Tensor) -> Tensor:
        cells = self.mean(images)
        left = torch.arange(cells.shape[3]) < cells.shape[3] // 2
        logits: Tensor = self.head(self.halves(cells, left).mean((2, 3)))
        return logits

    def halves(self, cells: Tensor, left: Tensor) -> Tensor:
        return torch.cat([cells * left, cells * ~left], 1).relu()


def pictures() -> Tensor:
    """Bright on the left."""
    drawn = torch.rand(SAMPLES, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(2))
    return drawn * torch.linspace(1.0, 0.5, SIZE)


def maps_of(explainer: Any, target: Tensor | None = None) -> SalienceMaps:
    seen = explainer.explain(pictures(), target)
    native, constant = min_max(seen.maps)
    reasons = tuple(UndefinedReason.CONSTANT_MAP if one else None for one in constant.tolist())
    return SalienceMaps(native.where(~constant.view(-1, 1, 1), 0), reasons, SIZE)


def separation(network: nn.Module, target: Tensor | None = None) -> tuple[PairScores, SalienceMaps, SalienceMaps]:
    explainer = make_explainer(CamMethod.GRADCAM, TargetHook(network.eval(), input_size=SIZE))
    own, other = maps_of(explainer, target), maps_of(OtherClassExplainer(explainer), target)
    return PAIRINGS["class_separation"]([own, other]), own, other


def by_scikit_image(one: Tensor, other: Tensor) -> list[float]:
    levels: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]] = [
        (np.asarray(first), np.asarray(second)) for first, second in zip(to_8bit(one), to_8bit(other), strict=True)
    ]
    return [float(structural_similarity(*pair, data_range=255)) for pair in levels]


def test_classes_at_different_places_are_told_apart() -> None:
    """The first class weighs the left half, the second the right; the third, which never comes second, both."""
    found, own, other = separation(Weighted([[1.0, 0.0], [0.0, 1.0], [0.1, 0.1]]))
    assert own.native[:, :, 3:].count_nonzero() == 0
    assert other.native[:, :, :3].count_nonzero() == 0
    assert found.score.values.tolist() == pytest.approx(by_scikit_image(own.native, other.native), abs=1e-9)
    assert max(found.score.values.tolist()) < 0


def test_classes_that_differ_in_strength_alone_have_one_map() -> None:
    found, *_ = separation(Weighted([[1.0, 0.5], [0.8, 0.4]]))
    assert found.score.values.tolist() == pytest.approx([1.0] * SAMPLES, abs=1e-3)


def test_where_nothing_speaks_for_another_class_there_is_no_score() -> None:
    found, own, _ = separation(Weighted([[1.0, 0.5], [-1.0, -0.5]]))
    assert own.reasons == (None,) * SAMPLES
    assert found.score.reasons == (UndefinedReason.CONSTANT_VIEW_MAP,) * SAMPLES


def test_the_other_class_is_the_highest_of_all_others() -> None:
    logits = torch.tensor([[3.0, 1.0, 2.0], [0.0, 5.0, -1.0], [2.0, 2.0, 2.0]])
    assert other_class(logits, None).tolist() == [2, 0, 1]
    assert other_class(logits, torch.tensor([2, 2, 0])).tolist() == [0, 1, 1]
    _, own, other = separation(Weighted([[1.0, 0.0], [0.0, 1.0]]), torch.ones(SAMPLES, dtype=torch.int64))
    assert own.native[:, :, :3].count_nonzero() == 0, "the class that was asked for, though it is not predicted"
    assert other.native[:, :, 3:].count_nonzero() == 0


def test_of_one_logit_the_other_class_is_the_other_side() -> None:
    network = Weighted([[1.0, -1.0]])
    output = Output(kind=OutputKind.BINARY)
    explainer = make_explainer(CamMethod.GRADCAM, TargetHook(network.eval(), input_size=SIZE, output=output))
    own, other = maps_of(explainer), maps_of(OtherClassExplainer(explainer))
    assert own.native[:, :, 3:].count_nonzero() == 0
    assert other.native[:, :, :3].count_nonzero() == 0


@pytest.mark.parametrize(
    "method",
    [
        CamMethod.EIGENCAM,
        CamMethod.SMOOTH_GRADCAM_PLUS_PLUS,
        CamMethod.OCCLUSION,
        CamMethod.INTEGRATED_GRADIENTS,
        CamMethod.RECIPROCAM,
        CamMethod.SCORECAM,
        CamMethod.FULLGRAD,
    ],
)
def test_logits_without_a_map_are_those_of_an_explanation(method: CamMethod) -> None:
    """Or the class that is the other one here might be the class that was explained there."""
    explainer = make_explainer(method, TargetHook(Weighted([[1.0, 0.3], [0.9, 0.4]]).eval(), input_size=SIZE))
    assert torch.equal(explainer.logits(pictures()), explainer.explain(pictures(), None).logits)


@pytest.mark.parametrize("method", [CamMethod.GRADCAM, CamMethod.ATTENTION_ROLLOUT, CamMethod.SHAPLEYCAM])
def test_logits_behind_attention_are_too(method: CamMethod) -> None:
    """Attention runs another kernel where nothing is to be differentiated, and another where nobody looks at it."""
    torch.manual_seed(5)
    network = VisionTransformer(64, 16, 2, 2, 32, 64, num_classes=4)
    nn.init.normal_(network.heads[0].weight)
    explainer = make_explainer(method, TargetHook(network.eval(), input_size=64))
    images = torch.randn(2, 3, 64, 64)
    assert torch.equal(explainer.logits(images), explainer.explain(images, None).logits)


def asked(measures: dict[str, Any], **salience: Any) -> Protocol:
    return ProtocolRequest.model_validate({"measures": measures, "salience": salience}).resolve()


def test_it_is_a_subject_of_clean_maps_paired_with_its_model() -> None:
    protocol = asked({"entropy": {}, "sanity": {}, "class_separation": {}}, methods=["gradcam", "layercam"])
    subjects = subjects_of(protocol, 2)
    assert [one.beside for one in subjects] == [None] * 4 + ["random"] * 2 + ["other_class"] * 2
    assert [one.model for one in subjects[6:]] == [0, 1]
    groups = {one.column.measure: one.groups for one in pairings_of(protocol, subjects)}
    assert groups == {"sanity": ((0, 4), (1, 5)), "class_separation": ((0, 6), (1, 7))}
    own = subjects[6].protocol(protocol)
    assert (own.columns(), own.conditions()) == ((), ())
    assert [column.measure for column in own.pairing_columns()] == ["sanity", "class_separation"]
    assert subjects[4].protocol(protocol).columns() == protocol.columns()


def test_no_audit_has_it_unless_it_is_named() -> None:
    for preset in ("default", "investigate", "explain2me-2023"):
        protocol = ProtocolRequest.model_validate({"preset": preset}).resolve()
        assert Explained.OTHER_CLASS not in {one.explained for one in subjects_of(protocol, 2)}
