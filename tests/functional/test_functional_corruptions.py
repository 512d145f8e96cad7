"""Corruptions by name against other implementations, from streams that hang on the sample alone."""

import hashlib

import numpy as np
import pytest
import torch
from torch import Tensor

from app.domain.protocol import Protocol, ProtocolRequest
from app.domain.views.deformations import DEFORMATIONS, Kind
from benchmarks.deformation_peers import PEERS
from benchmarks.deformations import differences, stream_of
from benchmarks.recorded_corruptions import BY_PACKAGE, FROSTED, FROSTED_SIZES, RECORDED, image_of_size
from worker.functional.corruptions import CORRUPTIONS
from worker.functional.frost import frost
from worker.functional.turbulence import SPACING, correlation, tilts
from worker.views import ViewSetting, make_views
from worker.views.base import ImageBatch
from worker.views.maps import SalienceMaps

LEVELS = {"brightness": 1, "saturate": 1, "motion_blur": 1, "turbulence": 1}
"""OpenCV's HSV is float32; sums and transforms of doubles in another order."""
NO_MAPS: SalienceMaps = None  # type: ignore[assignment]


def asked(*deformations: object) -> Protocol:
    measures = {"noise_reaction": {"curve": [], "deformations": deformations}}
    return ProtocolRequest.model_validate({"measures": measures}).resolve()


def views(images: Tensor, samples: tuple[str, ...], seed: int = 0) -> dict[str, Tensor]:
    protocol = asked(*({"kind": kind, "severities": [2]} for kind in DEFORMATIONS)).model_copy(update={"seed": seed})
    setting = ViewSetting(protocol=protocol, input_size=images.shape[-1], stride=(32, 32), colour=(0, 0, 0))
    batch = ImageBatch(images, samples)
    return {
        name: view.transform(batch, NO_MAPS) for name, view in make_views(protocol.conditions()[1:], setting).items()
    }


def test_every_deformation_has_its_arithmetic_and_five_severities() -> None:
    assert list(DEFORMATIONS) == list(CORRUPTIONS)
    assert set(DEFORMATIONS) == {*PEERS, *BY_PACKAGE}
    assert {len(spec.by_severity) for spec in DEFORMATIONS.values()} == {5}


@pytest.mark.parametrize("kind", DEFORMATIONS)
def test_same_as_another_implementation(kind: Kind, photographs: Tensor) -> None:
    most, share = differences(kind, photographs[:, :, 50:146, 60:150])
    assert most <= LEVELS.get(kind, 0)
    assert share < 0.05


@pytest.mark.parametrize(("place", "size"), [*enumerate(FROSTED_SIZES)])
def test_frost_covers_images_of_any_size_as_the_package_has_it(place: int, size: tuple[int, int]) -> None:
    """Wider than the photographs of frost, higher, both, and between them; the five streams draw all five."""
    streams = [stream_of(severity, 0) for severity in range(1, 6)]
    levels = zip(DEFORMATIONS["frost"].by_severity, streams, strict=True)
    found = np.stack([frost(image_of_size(size), numbers, stream) for numbers, stream in levels])
    assert hashlib.sha256(found.tobytes()).hexdigest() == np.load(RECORDED)[FROSTED][place]
    assert {int(stream_of(severity, 0).integers(5)) for severity in range(1, 6)} == {0, 1, 2, 3, 4}


def test_tilts_of_the_air_have_the_variance_and_the_correlation_that_they_are_drawn_for() -> None:
    """Noll's variance of a tilt in pixels, 0.448 (4 / pi)^2 of one aperture over Fried's parameter; tilts next to each
    other are nearly alike, tilts far apart less so.
    """
    drawn = np.stack([tilts((48, 32), 2.0, np.random.default_rng(seed)) for seed in range(300)])
    variance = 0.448 * (4 / np.pi) ** 2 * 2 ** (5 / 3)
    assert drawn.var() == pytest.approx(variance, rel=0.1)
    for apart in (1, 8, 24):
        found = (drawn[:, :-apart] * drawn[:, apart:]).mean() / drawn.var()
        assert found == pytest.approx(float(correlation(np.array([SPACING * apart]))[0]), abs=0.05)


def test_streams_hang_on_seed_and_sample_alone(photographs: Tensor) -> None:
    images = photographs[:2, :, :64, :64]
    both, second = views(images, ("a", "b")), views(images[1:], ("b",))
    assert all(torch.equal(both[name][1:], second[name]) for name in both)
    random = {name for name in both if DEFORMATIONS[name.partition("@")[0]].is_random}  # type: ignore[index]
    for other in (views(images[1:], ("c",)), views(images[1:], ("b",), seed=1)):
        assert {name for name in other if not torch.equal(other[name], second[name])} == random


def test_a_protocol_without_them_is_the_one_it_was() -> None:
    plain = ProtocolRequest().resolve()
    assert plain.digest() == "sha256:a655d93be89a4fba838e50129cce009e0a94f6d604e25672b6304fcd78cfd133"
    said = ProtocolRequest.model_validate({"measures": {"noise_reaction": {"kind": "salt_and_pepper"}}}).resolve()
    unsaid = ProtocolRequest.model_validate({"measures": {"noise_reaction": {}}}).resolve()
    assert (said.digest(), said.to_json()) == (unsaid.digest(), unsaid.to_json())
    with pytest.raises(ValueError, match="salt_and_pepper"):
        ProtocolRequest.model_validate({"measures": {"noise_reaction": {"kind": "gaussian_noise"}}})
    assert "deformations" not in plain.to_json()["measures"]["noise_reaction"]  # type: ignore[index]
    more = asked({"kind": "jpeg_compression", "severities": [3, 1, 3]})
    assert more.conditions() == ("noise@0.05", "jpeg_compression@1", "jpeg_compression@3")
    assert Protocol.model_validate(more.to_json()) == more
    assert more.digest() != asked().digest()
    with pytest.raises(ValueError, match="each kind of deformation once"):
        asked({"kind": "contrast"}, {"kind": "contrast"})
