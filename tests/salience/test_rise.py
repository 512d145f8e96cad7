"""RISE against its authors' code, written again (`benchmarks.rise_peer`)."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from app.audits.planning.costs import passes_per_map
from app.domain.maps.cam_methods import DEFAULT_MASKS
from app.domain.models.input_size import Size
from app.domain.models.outputs import CLASSES, Output
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import CamMethod, OutputKind
from benchmarks.rise_peer import their_map, their_masks
from tests.salience.test_reciprocam import headed
from worker.salience import explainer_of_network, make_explainer
from worker.salience.decisions import Decisions
from worker.salience.draws import Draws
from worker.salience.hook import TargetHook
from worker.salience.rise import KEPT, Drawn, cell_sides

COUNT = 120


def drawn(sample: str, size: Size) -> Drawn:
    return Drawn.of(Draws(3, (sample,)).stream(0, CamMethod.RISE), COUNT, size)


@pytest.mark.parametrize("size", [Size(32, 32), Size(28, 45)])
def test_masks_are_the_authors(size: Size) -> None:
    found = drawn("a", size)
    masks = found.enlarged(size, slice(0, COUNT)).numpy()
    assert np.abs(masks - their_masks(found, size)).max() < 1e-6
    assert (found.places < cell_sides(size)).all()
    assert found.places.min() == 0
    assert found.kept.mean() == pytest.approx(KEPT, abs=0.02)


def test_maps_are_the_authors() -> None:
    """Each image's of masks of its own."""
    network, images = headed(), torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(6))
    explainer = make_explainer(CamMethod.RISE, TargetHook(network, input_size=32), COUNT)
    wanted, names = [1, 0, 2], ["a", "b", "c"]
    found = explainer.explain(images, torch.tensor(wanted), Draws(3, names))
    assert found.maps.shape == (3, 32, 32)
    assert torch.equal(found.predicted, network(images).argmax(1))
    for place, (chosen, name) in enumerate(zip(wanted, names, strict=True)):
        masks = their_masks(drawn(name, Size(32, 32)), Size(32, 32))
        expected = their_map(network, masks, images[place], chosen)
        assert np.abs(found.maps[place].numpy() - expected).max() < 1e-6


class Corner(nn.Module):
    """Sees the upper left quarter alone."""

    def forward(self, images: Tensor) -> Tensor:
        seen = images[:, :, :16, :16].mean((1, 2, 3))
        logits: Tensor = torch.stack([4 * seen - 2, 2 - 4 * seen], 1)
        return logits


class Watched:
    """A network that is run as it is, and how many images at a time."""

    stride = (1, 1)

    def __init__(self, output: Output = CLASSES) -> None:
        self.decisions = Decisions(output)
        self.seen: list[int] = []

    def run(self, images: Tensor, change: Callable[[Tensor], Tensor]) -> Tensor:
        self.seen.append(len(change(images)))
        return self.decisions.of(Corner()(images))


@pytest.mark.parametrize("output", [CLASSES, Output(kind=OutputKind.MULTILABEL)])
def test_what_is_seen_is_salient(output: Output) -> None:
    network = Watched(output)
    (found,) = explainer_of_network(CamMethod.RISE, network).explain(torch.ones(1, 3, 32, 32), None).maps
    inside, outside = found[2:14, 2:14], torch.cat([found[20:].flatten(), found[:20, 20:].flatten()])
    assert inside.mean() - outside.mean() > 5 * outside.std()
    assert (max(network.seen), sum(network.seen)) == (16, 1 + DEFAULT_MASKS)


def test_the_protocol_says_how_many_masks() -> None:
    asked = ProtocolRequest.model_validate({"salience": {"method": "rise"}}).resolve()
    assert (asked.salience.masks, passes_per_map(asked.salience, 512, 49)) == (DEFAULT_MASKS, 1 + DEFAULT_MASKS)
    fewer = ProtocolRequest.model_validate({"salience": {"method": "rise", "masks": 500}}).resolve()
    assert passes_per_map(fewer.salience, 512, 49) == 501
    assert fewer.digest() != asked.digest()
    several = ProtocolRequest.model_validate({"salience": {"methods": ["gradcam", "rise"], "masks": 500}}).resolve()
    assert [several.salience.under(method).masks for method in several.salience.methods] == [None, 500]
    plain = ProtocolRequest().resolve()
    assert "masks" not in plain.to_json()["salience"]  # type: ignore[operator]
    with pytest.raises(ValidationError, match="masks are RISE's"):
        ProtocolRequest.model_validate({"salience": {"masks": 500}})
