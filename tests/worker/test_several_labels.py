"""Independent sigmoids of CheXNet's shape: what is explained, and what is told, by hand."""

import numpy as np
import pytest
import torch
from prepare import named_images
from torch import Tensor, nn
from torchvision.models import DenseNet, densenet121

from app.domain.models.outputs import Output
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import CamMethod, OutputKind, UndefinedReason
from worker.engine.looking import Look, Looker
from worker.engine.measuring import ModelAuditor, Outcome
from worker.engine.normalisation import Normalisation
from worker.salience import make_explainer
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.views.base import ImageBatch

LABELS, SIZE, SAMPLES = 14, 64, 4
OUTPUT = Output(kind=OutputKind.MULTILABEL)
POSITIVES = {0: (2, 5, 11), 1: (7,), 2: (), 3: (0, 13)}
"""By sample."""


def chexnet() -> DenseNet:
    """DenseNet-121 whose classifier is a linear layer and a sigmoid."""
    torch.manual_seed(3)
    network: DenseNet = densenet121(num_classes=LABELS)
    network.classifier = nn.Sequential(network.classifier, nn.Sigmoid())
    network.eval()
    return network


def pictures() -> Tensor:
    chosen = list(named_images().values())[::50][:SAMPLES]
    images = np.stack([np.asarray(one.convert("RGB").resize((SIZE, SIZE))) for one in chosen])
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()


def audited(network: nn.Module, pixels: Tensor, target: str, method: CamMethod = CamMethod.GRADCAM) -> Outcome:
    asked = {"salience": {"target": target, "method": method}, "measures": {"entropy": {}}, "micro_batch": SAMPLES}
    hook = TargetHook(network, input_size=SIZE, output=OUTPUT)
    auditor = ModelAuditor(
        make_explainer(method, hook),
        Normalisation(Preprocessing(input_size=SIZE, mean=(0.0,), std=(1.0,))),
        ProtocolRequest.model_validate(asked).resolve(),
        tuple(range(LABELS)),
    )
    truth = torch.zeros(SAMPLES, LABELS, dtype=torch.bool)
    for sample, labels in POSITIVES.items():
        truth[sample, list(labels)] = True
    return auditor.audit(ImageBatch(pixels, tuple(map(str, range(SAMPLES)))), truth)


def map_by_hand(network: DenseNet, image: Tensor, label: int) -> Tensor:
    """Grad-CAM of a label's logit by autograd, one image at a time, after min-max."""
    seen = network.features(image[None] / 255).relu().detach().requires_grad_()
    linear = network.classifier.get_submodule("0")
    logit = linear(seen.mean((2, 3)))[0, label]
    [gradient] = torch.autograd.grad(logit, seen)
    cam: Tensor = (gradient.mean((2, 3), keepdim=True) * seen).sum(1).relu()[0].detach()
    span = cam.max() - cam.min()
    return (cam - cam.min()) / span if span > 0 else cam * 0


def test_the_map_of_a_sample_is_the_mean_over_its_labels() -> None:
    network, pixels = chexnet(), pictures()
    maps = audited(network, pixels, "label").clean.maps
    for sample, labels in POSITIVES.items():
        if not labels:
            assert maps.reasons[sample] is UndefinedReason.NO_TARGET
            continue
        single = [map_by_hand(network, pixels[sample], label) for label in labels]
        telling = [one for one in single if one.max() > 0]
        if not telling:
            assert maps.reasons[sample] is UndefinedReason.CONSTANT_MAP
            continue
        assert maps.reasons[sample] is None
        torch.testing.assert_close(maps.native[sample], torch.stack(telling).mean(0), atol=2e-5, rtol=0)
    assert sum(reason is None for reason in maps.reasons) >= 2


@pytest.mark.parametrize("method", [CamMethod.SMOOTHGRAD, CamMethod.RECIPROCAM])
def test_image_by_image_the_bits_are_those_of_whole_batches(method: CamMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of methods that draw, too; images without a label say what they predict."""
    torch.manual_seed(3)
    body = nn.Conv2d(3, 8, 5, stride=8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, LABELS)
    network, pixels = nn.Sequential(*body).eval(), pictures()
    found = audited(network, pixels, "label", method).clean

    def of_whole_batches(looker: Looker, images: Tensor, positives: Tensor, draws: Draws) -> Look:
        explain = looker.explainer.explain
        [look] = looker._means_over_labels(lambda there, target: [explain(there, target, draws)], images, positives)
        return look

    monkeypatch.setattr(Looker, "_of_own_labels", of_whole_batches)
    wanted = audited(network, pixels, "label", method).clean
    assert found.maps.reasons == wanted.maps.reasons
    assert found.maps.reasons.count(None) == SAMPLES - 1
    for one in ("predicted", "class_scores"):
        assert torch.equal(getattr(found, one), getattr(wanted, one))
    assert torch.equal(found.maps.native, wanted.maps.native)


def test_the_highest_logit_is_explained_and_every_label_is_scored() -> None:
    network, pixels = chexnet(), pictures()
    clean = audited(network, pixels, "predicted").clean
    with torch.no_grad():
        scores = network(pixels / 255)
    assert clean.predicted.tolist() == scores.argmax(1).tolist()
    torch.testing.assert_close(clean.class_scores.float(), scores, atol=1e-5, rtol=0)
    for sample, label in enumerate(clean.predicted.tolist()):
        if clean.maps.reasons[sample] is None:
            expected = map_by_hand(network, pixels[sample], label)
            torch.testing.assert_close(clean.maps.native[sample], expected, atol=2e-5, rtol=0)
