"""The changed images that an audit hands out, against OpenCV, scikit-image and SciPy, and against the audit's maps."""

import csv
import io
import json
import zipfile
from functools import partial
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from prepare import build_archive
from scipy.ndimage import map_coordinates
from skimage.metrics import structural_similarity
from skimage.util import random_noise

from app.domain.models.input_size import Size
from app.domain.views.deformations import DEFORMATIONS
from app.imaging.motions import motion_of
from app.imaging.pixel_order import order_generator
from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.reference import SIZE, as_bytes, degraded, enlarged, view_pairs
from tests.waiting import views_of
from worker.functional.frost import frost
from worker.functional.noise import noise_generator

Json = dict[str, Any]
Bytes = NDArray[np.uint8]
AMOUNTS = (0.01, 0.05, 0.5)
FROSTED = {"frost@2": 2, "frost@4": 4}
ELASTIC = ("elastic@0.25", "elastic@0.5")
DEGRADED = ("salience_removed", "non_salience_removed")


def images_of(archive: zipfile.ZipFile) -> dict[tuple[str, str], Bytes]:
    """By sample and view, as the manifest names them: all that is in the archive, in the manifest's order."""
    assert archive.testzip() is None
    manifest = archive.namelist()[0]
    assert manifest in {"views-images.jsonl", "views-maps.jsonl"}
    lines = [json.loads(line) for line in archive.read(manifest).splitlines()]
    assert [manifest, *(line["path"] for line in lines)] == archive.namelist()
    assert all(line["map"] == line["path"].replace("images/", "maps/").replace(".png", ".npy") for line in lines)
    assert len({line["made"] for line in lines}) == 1
    assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
    return {
        (line["sample"], line["view"]): np.asarray(Image.open(io.BytesIO(archive.read(line["path"])))) for line in lines
    }


@pytest.fixture(scope="module")
def audit(strategies: list[Json]) -> Json:
    """Of two runs and six samples, with every measure of the paper."""
    return strategies[0]


@pytest.fixture(scope="module")
def made(service: httpx.Client, audit: Json) -> dict[tuple[str, str], Bytes]:
    return images_of(views_of(service, audit["id"]))


@pytest.fixture(scope="module")
def clean(made: dict[tuple[str, str], Bytes]) -> dict[str, Bytes]:
    return {sample: image for (sample, view), image in made.items() if view == "clean"}


@pytest.fixture(scope="module")
def sample_ids(service: httpx.Client, audit: Json) -> dict[str, str]:
    answer = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"})
    return {row["sample"]: row["sample_id"] for row in csv.DictReader(io.StringIO(answer.text))}


def test_clean_images_are_the_samples_at_the_input_size(clean: dict[str, Bytes], sample_ids: dict[str, str]) -> None:
    archive = zipfile.ZipFile(io.BytesIO(build_archive()))
    assert clean.keys() == sample_ids.keys()
    for name, image in clean.items():
        original = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
        assert np.array_equal(image, np.asarray(original.resize((SIZE, SIZE), Image.Resampling.BILINEAR)))


def test_moved_and_noisy_images_are_those_of_other_libraries(
    made: dict[tuple[str, str], Bytes], clean: dict[str, Bytes]
) -> None:
    """Bit by bit."""
    moves = {name: there for name, (there, _) in view_pairs().items()}
    noisy = {f"noise@{amount:g}": amount for amount in AMOUNTS}
    assert {view for _, view in made} == {"clean", *moves, *noisy, *FROSTED, *ELASTIC}
    for (sample, view), image in made.items():
        if view in moves:
            assert np.array_equal(image, moves[view](clean[sample])), view
        elif view in noisy:
            stream = noise_generator(0, sample, noisy[view])
            expected = random_noise(clean[sample], "s&p", rng=stream, amount=noisy[view])
            assert np.array_equal(image, (expected * 255).astype(np.uint8)), view


def test_frost_and_elastic_moves_are_drawn_by_seed_sample_and_view(
    made: dict[tuple[str, str], Bytes], clean: dict[str, Bytes]
) -> None:
    """SciPy finds each pixel of a moved image where the motion says that it came from, to a level."""
    for sample, image in clean.items():
        for view, severity in FROSTED.items():
            numbers = DEFORMATIONS["frost"].by_severity[severity - 1]
            assert np.array_equal(made[sample, view], frost(image, numbers, order_generator(0, sample, view)))
        for view in ELASTIC:
            back = motion_of(view, Size(SIZE, SIZE), order_generator(0, sample, view)).back
            levels = image.astype(float).transpose(2, 0, 1)
            expected = np.stack([map_coordinates(one, back, order=1, mode="nearest") for one in levels], -1)
            assert np.abs(expected - made[sample, view]).max() <= 0.5 + 1e-6


def test_degraded_images_follow_the_clean_maps_of_their_subject(
    service: httpx.Client, audit: Json, clean: dict[str, Bytes], sample_ids: dict[str, str]
) -> None:
    refused = service.get(f"/v1/audits/{audit['id']}/views", params={"needs": "maps"})
    assert (refused.status_code, refused.json()["code"]) == (422, "model-id-required")
    first, second = (
        images_of(views_of(service, audit["id"], needs="maps", subject=model)) for model in audit["model_ids"]
    )
    assert first.keys() == second.keys() == {(sample, view) for sample in clean for view in DEGRADED}
    assert any(not np.array_equal(first[key], second[key]) for key in first)
    for sample, image in clean.items():
        asked = {"model_id": audit["model_ids"][1]}
        shown = service.get(f"/v1/audits/{audit['id']}/samples/{sample_ids[sample]}/map", params=asked).json()["values"]
        salience = enlarged(as_bytes(np.array(shown)))
        for view, levels in zip(DEGRADED, (255 - salience, salience), strict=True):
            expected, found = degraded(image, levels), second[sample, view]
            assert np.abs(expected.astype(float) - found).mean() < 1, view
            assert structural_similarity(expected, found, channel_axis=2) > 0.99, view


def test_an_archive_is_made_once_and_told_while_it_is_not_there(service: httpx.Client, first_entropy: Json) -> None:
    path = f"/v1/audits/{first_entropy['id']}/views"
    told = service.get(path)
    assert told.status_code == 202
    assert told.json() == {
        "audit_id": first_entropy["id"],
        "subject": first_entropy["model_ids"][0],
        "needs": "images",
        "status": "queued",
        "views": ["clean"],
        "images": first_entropy["progress"]["total"],
    }
    archive = views_of(service, first_entropy["id"])
    assert len(images_of(archive)) == first_entropy["progress"]["total"]
    head = service.head(path)
    assert head.headers["content-type"] == "application/zip"
    sent = service.get(path)
    assert sent.headers["content-length"] == head.headers["content-length"] == str(len(sent.content))
    assert "content-encoding" not in sent.headers


def test_what_cannot_be_is_refused(service: httpx.Client, first_entropy: Json) -> None:
    path = f"/v1/audits/{first_entropy['id']}/views"
    nothing = service.get(path, params={"needs": "maps"})
    assert (nothing.status_code, nothing.json()["code"]) == (422, "nothing-to-hand-out")
    assert service.get(path, params={"needs": "masks"}).status_code == 422
    assert service.get(path, params={"subject": "nobody"}).status_code == 404


def test_shifts_by_cells_are_those_of_the_layer(service: httpx.Client, start: Any) -> None:
    """A cell of these networks is 32 pixels wide, which the network alone says."""
    audit = start("cross_entropy_run1", protocol=ENTROPY_ONLY | {"measures": {"equivariance": {}}}, sample_limit=2)
    found = images_of(views_of(service, audit["id"]))
    moved = partial(np.roll, shift=64, axis=1)
    for sample in {sample for sample, _ in found}:
        assert np.array_equal(found[sample, "cells_2_right"][:, 64:], moved(found[sample, "clean"])[:, 64:])
