"""What many variants of an image cost and hang on: signs of life, memory, batches, and the image and its name alone."""

import pytest
import torch
from torch import Tensor

from app.domain.maps.cam_methods import CAM_METHODS as METHOD_SPECS
from app.domain.models.preprocessing import Preprocessing
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import CamMethod
from tests.salience.variant_peers import DRAWS, SIDE, maps_of, small
from worker.engine.measuring import ModelAuditor
from worker.engine.normalisation import Normalisation
from worker.salience import VARIANT_METHODS, make_explainer, one_by_one, pixel_gradients
from worker.salience.draws import Draws
from worker.salience.explainer import Explanation
from worker.salience.hook import TargetHook
from worker.salience.signs_of_life import telling
from worker.views.base import ImageBatch

OF_VARIANTS = [
    CamMethod.SMOOTH_GRADCAM_PLUS_PLUS,
    *VARIANT_METHODS,
    CamMethod.INTEGRATED_GRADIENTS,
    CamMethod.SMOOTHGRAD,
]


@pytest.mark.parametrize("method", [one for one in OF_VARIANTS if one is not CamMethod.SMOOTH_GRADCAM_PLUS_PLUS])
def test_there_are_signs_of_life_before_the_first_map_is_made(method: CamMethod, images: Tensor) -> None:
    """Of those that pass variants, so that a batch of them may take longer than one pass is allowed to."""
    told: list[int] = []
    with telling(lambda: told.append(1)):
        maps_of(method, small(), images)
    assert len(told) >= 2


@pytest.mark.parametrize("method", OF_VARIANTS)
def test_a_map_depends_on_its_image_and_name_alone(method: CamMethod, images: Tensor) -> None:
    explainer = make_explainer(method, TargetHook(small(), input_size=SIDE))
    there = explainer.explain(images, None, DRAWS).maps
    turned = explainer.explain(images.flip(0), None, Draws(3, ("second", "first"))).maps.flip(0)
    alone = explainer.explain(images[1:], None, Draws(3, ("second",))).maps
    assert torch.allclose(turned, there, rtol=1e-5, atol=1e-7)
    assert torch.allclose(alone, there[1:], rtol=1e-5, atol=1e-7)
    other = explainer.explain(images, None, Draws(4, DRAWS.samples)).maps
    assert METHOD_SPECS[method].draws != torch.equal(other, there)


@pytest.mark.parametrize("method", OF_VARIANTS)
def test_few_variants_are_in_memory_at_once(method: CamMethod, images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    network, most = small(), []
    network.register_forward_pre_hook(lambda _module, inputs: most.append(len(inputs[0])))
    make_explainer(method, TargetHook(network, input_size=SIDE)).explain(images, None, DRAWS)
    assert max(most) <= max(one_by_one.VARIANTS, pixel_gradients.AT_A_TIME)
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(("method", "passed"), [(CamMethod.OCCLUSION, 2), (CamMethod.GRADCAM, 16)])
def test_a_short_batch_is_filled_up_only_where_images_go_together(
    method: CamMethod, passed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or two images of a method that makes thousands of passes for each would cost what sixteen do."""
    explainer = make_explainer(method, TargetHook(small(), input_size=SIDE))
    counts: list[int] = []

    def explain(images: Tensor, target: Tensor | None, draws: Draws) -> Explanation:
        counts.append(len(images))
        return Explanation(torch.zeros(len(images), 4), torch.zeros(len(images)), torch.ones(len(images), 4, 4))

    monkeypatch.setattr(explainer, "explain", explain)
    preprocessing = Preprocessing(input_size=SIDE, mean=(0.5,) * 3, std=(0.5,) * 3)
    asked = {"salience": {"method": method}, "measures": {"entropy": {}}, "micro_batch": 16}
    auditor = ModelAuditor(
        explainer, Normalisation(preprocessing, 3), ProtocolRequest.model_validate(asked).resolve(), ()
    )
    batch = ImageBatch(torch.zeros(2, 3, SIDE, SIDE, dtype=torch.uint8), tuple(DRAWS.samples))
    found = auditor.audit(batch, torch.zeros(2, dtype=torch.int64))
    assert (counts, len(found.clean.predicted)) == ([passed], 2)
