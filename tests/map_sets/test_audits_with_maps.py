"""Map sets as subjects of real audits: their own measures, and agreement with models and with each other."""

import csv
import io
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from prepare import named_images
from scipy.stats import pearsonr
from skimage.measure import block_reduce
from skimage.metrics import structural_similarity
from skimage.transform import resize_local_mean

from tests.map_sets.packing import npy, zipped
from tests.reference import spatial
from tests.waiting import upload, wait_for

Json = dict[str, Any]
Map = NDArray[np.float64]
SAMPLES = 24
PROTOCOL: Json = {"micro_batch": 8, "measures": {"entropy": {}, "agreement": {}}}
SIDES = {"first": 70, "second": 49}


def drawn(side: int, seed: int) -> dict[str, Map]:
    """A blob for every image, about where the other annotator sees it."""
    places, own = np.random.default_rng(0), np.random.default_rng(seed)
    down, right = np.mgrid[:side, :side] / side
    maps: dict[str, Map] = {}
    for name in named_images():
        y, x = places.uniform(0.2, 0.8, 2) + own.normal(0, 0.05, 2)
        maps[name] = np.exp(-((down - y) ** 2 + (right - x) ** 2) / 0.05)
    return maps


@pytest.fixture(scope="module")
def sets() -> dict[str, dict[str, Map]]:
    return {name: drawn(side, seed) for seed, (name, side) in enumerate(SIDES.items())}


@pytest.fixture(scope="module")
def map_sets(service: httpx.Client, dataset: Json, sets: dict[str, dict[str, Map]]) -> list[Json]:
    """Of two annotators, whose maps have two sizes; the second one left out an image."""
    made = []
    for name, maps in sets.items():
        files = {f"{sample}.npy": npy(one) for sample, one in maps.items()}
        if name == "second":
            files.popitem()
        described = {"name": name, "dataset_id": dataset["id"], "kind": "human"}
        made.append(upload(service, "map-sets", described, zipped(files)))
    assert [one["map_count"] for one in made] == [200, 199]
    return made


@pytest.fixture(scope="module")
def audit(start: Callable[..., Json], map_sets: list[Json]) -> Json:
    ids = [one["id"] for one in map_sets]
    ended = start("cross_entropy_run1", protocol=PROTOCOL, sample_limit=SAMPLES, map_set_ids=ids)
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="module")
def results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return found


@pytest.fixture(scope="module")
def scores(service: httpx.Client, audit: Json) -> dict[tuple[str, str, str], float]:
    """By sample, subject and view."""
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = [row for row in csv.DictReader(io.StringIO(text)) if row["score"]]
    return {(row["sample"], row["subject"], row["view"]): float(row["score"]) for row in rows}


def model_map(service: httpx.Client, audit: Json, sample_id: str) -> Map:
    found = service.get(f"/v1/audits/{audit['id']}/samples/{sample_id}/map").json()
    return np.array(found["values"], np.float64)


def eight_bit(values: Map) -> NDArray[np.uint8]:
    return (values.astype(np.float32) * np.float32(255)).astype(np.uint8)


def stretched(values: Map) -> Map:
    return np.asarray((values - values.min()) / (values.max() - values.min()))


def test_a_model_agrees_with_people_as_other_tools_say(
    service: httpx.Client,
    audit: Json,
    sets: dict[str, dict[str, Map]],
    scores: dict[tuple[str, str, str], float],
) -> None:
    """The larger map by area, of 70 and of 49 cells the mean of blocks; then what SciPy and scikit-image make of it."""
    [model] = audit["model_ids"]
    asked = {"view": "cc@1", "subject": model, "limit": 5}
    page = service.get(f"/v1/audits/{audit['id']}/samples", params=asked).json()["items"]
    assert len(page) == 5
    for row in page:
        own = model_map(service, audit, row["sample_id"])
        for number, name in enumerate(sets, start=1):
            given = stretched(sets[name][row["sample"]])
            small = block_reduce(given, SIDES[name] // 7, np.mean)
            key = row["sample"], model
            assert scores[*key, f"cc@{number}"] == pytest.approx(pearsonr(own.ravel(), small.ravel())[0], abs=1e-6)
            ssim = structural_similarity(eight_bit(own), eight_bit(small), data_range=255)
            assert scores[*key, f"ssim@{number}"] == pytest.approx(ssim, abs=0.02)


def test_map_sets_are_subjects_with_numbers_of_their_own(
    audit: Json,
    map_sets: list[Json],
    results: Json,
    sets: dict[str, dict[str, Map]],
    scores: dict[tuple[str, str, str], float],
) -> None:
    assert audit["map_set_ids"] == [one["id"] for one in map_sets]
    assert [one["name"] for one in results["map_sets"]] == [*sets]
    keys = [one["subject"] for one in results["map_sets"]]
    of_sets = {
        (sample, key): score
        for (sample, key, view), score in scores.items()
        if (view, key in keys) == ("spatial", True)
    }
    assert len(of_sets) in {2 * SAMPLES, 2 * SAMPLES - 1}
    for (sample, key), score in of_sets.items():
        own = stretched(sets[[*sets][keys.index(key)]][sample])
        assert score == pytest.approx(spatial(own), abs=1e-5)
    views = {subject: {view for _, own, view in scores if own == subject} for subject in [*audit["model_ids"], *keys]}
    assert views[keys[0]] & {"cc@1", "cc@2", "cc@rest"} == {"cc@2", "cc@rest"}
    assert views[audit["model_ids"][0]] >= {f"{one}@rest" for one in ("ssim", "cc", "spearman", "sim", "kl", "iou")}


def test_agreement_has_an_interval_a_chance_and_groups(results: Json) -> None:
    rows = [row for row in results["summaries"] if row["measure"] == "agreement"]
    groups = {row["group_by"] for row in rows}
    assert groups == {"total", "label", "source"}
    first = next(row for row in rows if row["view"] == "cc@1" and row["group"] == "macro")
    assert first["similarity"] == "cc"
    assert first["ci95_low"] < first["mean"] < first["ci95_high"]
    assert first["control_mean"] is not None
    [between] = [row for row in rows if row["view"] == "cc@2" and row["group"] == "macro" and row["model_id"] is None]
    assert between["mean"] > between["control_mean"]


def test_an_audit_of_map_sets_alone(
    service: httpx.Client, dataset: Json, map_sets: list[Json], sets: dict[str, dict[str, Map]]
) -> None:
    """Entropy and stability, annotators as runs of one recipe; and what needs a network is refused."""
    body = {"dataset_id": dataset["id"], "map_set_ids": [one["id"] for one in map_sets], "sample_limit": SAMPLES}
    answer = service.post("/v1/audits", json=body)
    assert answer.status_code == 202, answer.text
    ended = wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    found = service.get(f"/v1/audits/{ended['id']}/results").json()
    assert {row["measure"] for row in found["summaries"]} == {"entropy", "stability"}
    page = service.get(f"/v1/audits/{ended['id']}/samples", params={"measure": "stability", "limit": 5}).json()["items"]
    assert len(page) == 5
    for row in page:
        first, second = (stretched(one[row["sample"]]) for one in sets.values())
        small = stretched(resize_local_mean(first, second.shape))
        ssim = structural_similarity(eight_bit(small), eight_bit(second), data_range=255)
        assert row["score"] == pytest.approx(ssim, abs=0.02)
    for name in ("noise_reaction", "class_separation"):
        refused = service.post("/v1/audits", json=body | {"protocol": {"measures": {name: {}}}})
        assert (refused.status_code, refused.json()["code"]) == (422, "measure-needs-model"), name
