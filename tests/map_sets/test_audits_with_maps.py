"""Map sets as subjects of real audits: their own measures, and agreement with models and with each other."""

import csv
import io
from collections.abc import Callable, Sequence
from itertools import cycle
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

from tests.api.running_api import check_problem
from tests.map_sets.packing import npy, zipped
from tests.reference import spatial
from tests.reports.reading import Report
from tests.waiting import upload, wait_for

Json = dict[str, Any]
Map = NDArray[np.float64]
SAMPLES = 24
PROTOCOL: Json = {"micro_batch": 8, "measures": {"entropy": {}, "agreement": {}}}
CONDITIONS = (
    "agreement.cc@1.mean >= -1",
    "agreement.cc@rest[worst model].ci95_low >= 1",
    "agreement.kl@2.mean > agreement.kl@2.control_mean (warn)",
    "agreement.cc@3.mean >= 0 (missing ok)",
)
SIDES = {"first": (70, 35, 14), "second": (49,)}
"""Of an annotator's maps, in turn."""


def drawn(sides: Sequence[int], seed: int) -> dict[str, Map]:
    """A blob for every image, about where the other annotator sees it."""
    places, own = np.random.default_rng(0), np.random.default_rng(seed)
    maps: dict[str, Map] = {}
    for name, side in zip(named_images(), cycle(sides)):
        down, right = np.mgrid[:side, :side] / side
        y, x = places.uniform(0.2, 0.8, 2) + own.normal(0, 0.05, 2)
        maps[name] = np.exp(-((down - y) ** 2 + (right - x) ** 2) / 0.05)
    return maps


@pytest.fixture(scope="module")
def sets() -> dict[str, dict[str, Map]]:
    return {name: drawn(sides, seed) for seed, (name, sides) in enumerate(SIDES.items())}


@pytest.fixture(scope="module")
def map_sets(service: httpx.Client, dataset: Json, sets: dict[str, dict[str, Map]]) -> list[Json]:
    """Of two annotators, whose maps have several sizes; the second one left out an image."""
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
def audit(start: Callable[..., Json], map_sets: list[Json], make_gate: Callable[..., Json]) -> Json:
    ids, gate = [one["id"] for one in map_sets], make_gate(*CONDITIONS)["id"]
    ended = start("cross_entropy_run1", protocol=PROTOCOL, sample_limit=SAMPLES, map_set_ids=ids, gate_id=gate)
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
    """The larger map by area, the mean of blocks of its cells; then what SciPy and scikit-image make of it."""
    [model] = audit["model_ids"]
    asked = {"view": "cc@1", "subject": model, "limit": 5}
    page = service.get(f"/v1/audits/{audit['id']}/samples", params=asked).json()["items"]
    assert len(page) == 5
    for row in page:
        own = model_map(service, audit, row["sample_id"])
        for number, name in enumerate(sets, start=1):
            given = stretched(sets[name][row["sample"]])
            small = block_reduce(given, len(given) // 7, np.mean)
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


def test_the_chance_is_scored_as_the_score_is(
    service: httpx.Client,
    audit: Json,
    results: Json,
    sets: dict[str, dict[str, Map]],
    scores: dict[tuple[str, str, str], float],
) -> None:
    """Each map against the given map of another sample at that pair's own size, by other implementations: of every
    label a seeded cycle through the samples that have the score."""
    [model] = audit["model_ids"]
    page = service.get(f"/v1/audits/{audit['id']}/samples", params={"subject": model, "view": "cc@1"}).json()["items"]
    labels = {row["sample"]: row["label"] for row in page}
    given = [{name: stretched(one) for name, one in own.items()} for own in sets.values()]
    own = {row["sample"]: model_map(service, audit, row["sample_id"]) for row in page}
    first, second = (one["subject"] for one in results["map_sets"])
    for subject, maps, target in ((model, own, 0), (model, own, 1), (first, given[0], 1), (second, given[1], 0)):
        partners = another_of(labels, {name for name in labels if (name, subject, f"cc@{target + 1}") in scores})
        pairs = [at_smaller(maps[name], given[target][other]) for name, other in partners.items()]
        for similarity, compare in {"cc": by_correlation, "ssim": by_ssim}.items():
            [row] = [
                row
                for row in results["summaries"]
                if (row["measure"], row["view"], row["group"]) == ("agreement", f"{similarity}@{target + 1}", "micro")
                and row["subject"] == subject
            ]
            expected = np.mean([compare(*pair) for pair in pairs])
            assert row["control_mean"] == pytest.approx(expected, abs={"cc": 1e-6, "ssim": 0.01}[similarity])


def test_a_gate_judges_agreement(
    service: httpx.Client, dataset: Json, audit: Json, results: Json, make_gate: Callable[..., Json]
) -> None:
    """By the numbers of the results; and what the audit cannot have is refused before it starts."""
    means = {
        (row["view"], row["subject"]): row
        for row in results["summaries"]
        if (row["measure"], row["group"]) == ("agreement", "macro")
    }
    [model] = audit["model_ids"]
    verdict = service.get(f"/v1/audits/{audit['id']}/verdict").json()
    assert verdict["verdict"] == "failed"
    first, rest, divergence, missing = verdict["conditions"]
    assert (first["outcome"], first["value"]) == ("passed", means["cc@1", model]["mean"])
    assert (rest["outcome"], rest["value"]) == ("failed", means["cc@rest", model]["ci95_low"])
    assert divergence["value"] == means["kl@2", model]["mean"]
    assert divergence["threshold"] == means["kl@2", model]["control_mean"]
    assert (missing["outcome"], missing["value"]) == ("passed", None)
    body = {"dataset_id": dataset["id"], "model_ids": audit["model_ids"], "map_set_ids": audit["map_set_ids"]}
    asked = {"protocol": PROTOCOL, "gate_id": make_gate("agreement.cc@3.mean >= 0")["id"]}
    refused = service.post("/v1/audits", json=body | asked)
    detail = check_problem(refused, 422, "gate-needs-map-sets")
    assert "agreement.cc@3, which this audit does not have" in detail
    assert "cc@1, cc@2, cc@rest" in detail
    turned = {"map_set_ids": audit["map_set_ids"][::-1], "baseline_audit_id": audit["id"]}
    compared = {"gate_id": make_gate("agreement.cc@1.mean not worse than baseline")["id"], "sample_limit": SAMPLES}
    check_problem(
        service.post("/v1/audits", json=body | {"protocol": PROTOCOL} | compared | turned), 422, "baseline-differs"
    )


def another_of(labels: dict[str, str], defined: set[str]) -> dict[str, str]:
    """By sample, in the order of the audit; those without a score are turned about as well, and have nobody."""
    draw, names = np.random.Generator(np.random.PCG64(0)), sorted(labels)
    groups = [[name for name in names if name not in defined]]
    groups += [
        [name for name in names if labels[name] == label and name in defined] for label in sorted({*labels.values()})
    ]
    partners: dict[str, str] = {}
    for group in groups:
        if len(group) > 1:
            turned = draw.permutation(group).tolist()
            partners |= dict(zip(turned, [*turned[1:], turned[0]], strict=True))
    return {name: other for name, other in partners.items() if name in defined}


def at_smaller(one: Map, other: Map) -> tuple[Map, Map]:
    size = min(len(one), len(other))
    return tuple(np.asarray(resize_local_mean(maps, (size, size))) for maps in (one, other))  # type: ignore[return-value]


def by_correlation(one: Map, other: Map) -> float:
    return float(pearsonr(one.ravel(), other.ravel())[0])


def by_ssim(one: Map, other: Map) -> float:
    return float(structural_similarity(eight_bit(one), eight_bit(other), data_range=255))


@pytest.fixture(scope="module")
def alone(service: httpx.Client, dataset: Json, map_sets: list[Json]) -> Json:
    """Of the map sets without a model, by every measure that they give."""
    body = {"dataset_id": dataset["id"], "map_set_ids": [one["id"] for one in map_sets], "sample_limit": SAMPLES}
    by_default = service.post("/v1/audits:estimate", json=body).json()["protocol"]["measures"]
    assert {name for name, settings in by_default.items() if settings is not None} == {"entropy", "stability"}
    measures: Json = {"entropy": {}, "stability": {}, "agreement": {}}
    answer = service.post("/v1/audits", json=body | {"protocol": {"measures": measures}, "name": "annotators"})
    assert answer.status_code == 202, answer.text
    ended = wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    for name in ("noise_reaction", "class_separation"):
        refused = service.post("/v1/audits", json=body | {"protocol": {"measures": {name: {}}}})
        assert (refused.status_code, refused.json()["code"]) == (422, "measure-needs-model"), name
    return ended


def test_an_audit_of_map_sets_alone(service: httpx.Client, alone: Json, sets: dict[str, dict[str, Map]]) -> None:
    """Annotators as runs of one recipe."""
    found = service.get(f"/v1/audits/{alone['id']}/results").json()
    assert {row["measure"] for row in found["summaries"]} == {"entropy", "stability", "agreement"}
    page = service.get(f"/v1/audits/{alone['id']}/samples", params={"measure": "stability", "limit": 5}).json()["items"]
    assert len(page) == 5
    for row in page:
        ssim = by_ssim(*at_smaller(*(stretched(one[row["sample"]]) for one in sets.values())))
        assert row["score"] == pytest.approx(ssim, abs=0.02)


def test_map_sets_alone_have_a_report(service: httpx.Client, alone: Json) -> None:
    """Everything that it shows is theirs: their names, numbers, and maps over the images."""
    answer = service.get(f"/v1/audits/{alone['id']}/report")
    assert answer.status_code == 200, answer.text
    report = Report(answer.text)
    assert "Map sets alone" in answer.text
    [caption] = [one for one in report.tables if one.startswith("Entropy, spatial, by label and source")]
    assert report.tables[caption][0] == ["group", *SIDES]
    assert any(one.startswith("Agreement, cc@rest") for one in report.tables)
    assert any(one.startswith("Stability, pairs of runs") for one in report.tables)
    named = {row[0] for row in report.tables["Provenance"]}
    assert {"map set first", "map set second"} <= named
    assert not any("model" in head for rows in report.tables.values() for head in rows[0])
    assert len(report.pictures) > 8
    assert service.get(f"/v1/audits/{alone['id']}/plots/distribution-entropy-spatial.svg").status_code == 200


def test_a_model_beside_map_sets_has_a_report(service: httpx.Client, audit: Json) -> None:
    """With its agreement."""
    answer = service.get(f"/v1/audits/{audit['id']}/report")
    assert answer.status_code == 200, answer.text
    report = Report(answer.text)
    [caption] = [one for one in report.tables if one.startswith("Agreement, cc@rest, by label and source")]
    assert report.tables[caption][0] == ["group", "cross_entropy_run1"]
