"""All five measures of two networks that the service never runs, against its own audit of the same two."""

import csv
import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.changed_images.rounds import Elsewhere
from tests.comparisons.real_audits import WITH_EVERYTHING
from tests.reference import as_bytes
from tests.waiting import WEIGHTS, upload, views_of, wait_for

Json = dict[str, Any]
RUNS = ("cross_entropy_run1", "cross_entropy_run2")
RECIPE = Path(__file__).parents[2] / "examples" / "faces" / "recipe.json"
PROTOCOL: Json = {"micro_batch": 4, "measures": WITH_EVERYTHING}
SAMPLES = 6
Scores = dict[tuple[str, str, str, str], float]


def audit_of(service: httpx.Client, dataset: Json, map_sets: list[Json]) -> Json:
    body = {"dataset_id": dataset["id"], "map_set_ids": [one["id"] for one in map_sets], "protocol": PROTOCOL}
    answer = service.post("/v1/audits", json=body | {"sample_limit": SAMPLES})
    assert answer.status_code == 202, answer.text
    ended = wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    return ended


def described(dataset: Json, run: str) -> Json:
    return {"name": run, "dataset_id": dataset["id"], "kind": "other", "input_size": 224}


def packed(folder: Path, images: Path) -> bytes:
    """A network's maps, with the manifests that came with the images."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for manifest in images.glob("views-*.jsonl"):
            target.write(manifest, manifest.name)
        for file in folder.rglob("*.npy"):
            target.write(file, file.relative_to(folder).as_posix())
    return archive.getvalue()


def networks(images: dict[str, Path], maps: dict[str, Path]) -> list[tuple[Path, Path, Path]]:
    return [(images[run], WEIGHTS / f"{run}.safetensors", maps[run]) for run in RUNS]


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Elsewhere]:
    with Elsewhere(RECIPE) as process:
        yield process


def scores_of(service: httpx.Client, audit: Json) -> Scores:
    """By run, sample, measure and view; of several subjects together under no run."""
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    found = {
        (row["model"], row["sample"], row["measure"], row["view"]): float(row["score"]) for row in rows if row["score"]
    }
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="module")
def empty(service: httpx.Client, dataset: Json) -> list[Json]:
    """Map sets that wait for their maps, which no model here will make."""
    made = [service.post("/v1/map-sets", json=described(dataset, run)) for run in RUNS]
    assert [one.status_code for one in made] == [201, 201], made[0].text
    return [one.json() for one in made]


@pytest.fixture(scope="module")
def first_audit(service: httpx.Client, dataset: Json, empty: list[Json]) -> Json:
    return audit_of(service, dataset, empty)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Path]]:
    """Of images, and of each network's maps."""
    root = tmp_path_factory.mktemp("elsewhere")
    return root / "images", {run: root / run for run in RUNS}


@pytest.fixture(scope="module")
def sent_back(
    service: httpx.Client,
    dataset: Json,
    first_audit: Json,
    empty: list[Json],
    folders: tuple[Path, dict[str, Path]],
    elsewhere: Elsewhere,
) -> list[Json]:
    """Two rounds: images of samples alone, then those that follow each network's clean maps."""
    images, maps = folders
    views_of(service, first_audit["id"]).extractall(images)
    elsewhere.explain(networks(dict.fromkeys(RUNS, images), maps))
    for run, map_set in zip(RUNS, empty, strict=True):
        put = service.put(map_set["content_url"], content=packed(maps[run], images))
        assert put.status_code == 202, put.text
        ready = wait_for(service, f"/v1/map-sets/{map_set['id']}", "ready", "rejected")
        assert (ready["status"], ready["unreadable_count"]) == ("ready", 0), ready
    own = {run: images.parent / f"{run} images" for run in RUNS}
    for run, map_set in zip(RUNS, empty, strict=True):
        shutil.copytree(images, own[run])
        views_of(service, first_audit["id"], needs="maps", subject=f"map_set:{map_set['id']}").extractall(own[run])
    elsewhere.explain(networks(own, maps))
    made = [upload(service, "map-sets", described(dataset, run), packed(maps[run], own[run])) for run in RUNS]
    assert [one["unreadable_count"] for one in made] == [0, 0], made
    return made


@pytest.fixture(scope="module")
def five_measures(service: httpx.Client, dataset: Json, sent_back: list[Json]) -> Json:
    """Of both networks, by the maps that they made elsewhere."""
    return audit_of(service, dataset, sent_back)


def test_before_there_are_maps_nothing_is_scored(service: httpx.Client, first_audit: Json) -> None:
    rows = service.get(f"/v1/audits/{first_audit['id']}/samples?limit=500").json()["items"]
    assert {row["undefined_reason"] for row in rows} == {"no-map"}
    assert {row["measure"] for row in rows} == {*WITH_EVERYTHING}


def test_images_are_those_of_an_audit_of_the_networks(
    service: httpx.Client, first_audit: Json, strategies: list[Json]
) -> None:
    given, own = (views_of(service, audit["id"]) for audit in (first_audit, strategies[0]))
    assert given.namelist() == own.namelist()
    assert all(given.read(name) == own.read(name) for name in own.namelist())


def test_scores_are_those_of_the_services_own_audit(
    service: httpx.Client, five_measures: Json, strategies: list[Json], folders: tuple[Path, dict[str, Path]]
) -> None:
    """5e-3 for 97 of 100 scores, 1e-3 for means, 1e-5 for entropy; and the same where all 8-bit maps are the same."""
    given, own = (scores_of(service, one) for one in (five_measures, strategies[0]))
    assert given.keys() == own.keys()
    by_view: dict[tuple[str, str], list[float]] = {}
    for key, score in own.items():
        by_view.setdefault(key[2:], []).append(given[key] - score)
    for (measure, view), differences in by_view.items():
        assert np.mean(np.abs(differences) < 5e-3) >= 0.97, (measure, view, differences)
        assert abs(np.mean(differences)) < 1e-3, (measure, view)
        assert view != "spatial" or np.abs(differences).max() < 1e-5
    assert {measure for measure, _ in by_view} == {*WITH_EVERYTHING}
    same = same_maps(service, strategies[0], folders)
    assert len(same) > len(by_view)
    assert all(given[key] == own[key] for key in same)


def test_rescored_they_are_those_of_the_services_own_audit(
    service: httpx.Client, five_measures: Json, strategies: list[Json]
) -> None:
    """Noise, degradation and stability by correlation, of map sets as of models; and before there are maps, nothing."""
    found = []
    for audit in (five_measures, strategies[0]):
        path = f"/v1/audits/{audit['id']}/rescore"
        answer = service.post(path, json={"similarity": "cc"})
        assert answer.status_code == 202, answer.text
        ended = wait_for(service, answer.headers["location"], "succeeded", "failed")
        assert ended["status"] == "succeeded", ended
        found.append(ended["results"])
    given, own = (
        {(row["measure"], row["view"], row["group_by"], row["group"], row["subject"]): row for row in one["summaries"]}
        for one in found
    )
    sets = service.get(f"/v1/audits/{five_measures['id']}/results").json()["map_sets"]
    subjects = {None: None} | dict(zip(strategies[0]["model_ids"], [one["subject"] for one in sets], strict=True))
    assert {(*key[:4], subjects[key[4]]) for key in own} == {*given}
    for key, row in own.items():
        assert given[*key[:4], subjects[key[4]]]["mean"] == pytest.approx(row["mean"], abs=5e-3), key
    assert {row["model_id"] for row in found[0]["summaries"]} == {None}


def test_maps_of_other_images_are_refused(service: httpx.Client, dataset: Json, sent_back: list[Json]) -> None:
    """Another seed makes other noise."""
    asked = {"dataset_id": dataset["id"], "map_set_ids": [sent_back[0]["id"]]}
    refused = service.post("/v1/audits", json=asked | {"protocol": PROTOCOL | {"seed": 7, "measures": {"entropy": {}}}})
    assert (refused.status_code, refused.json()["code"]) == (422, "maps-of-other-images")
    manifest = service.post("/v1/map-sets", json=described(dataset, "without a manifest")).json()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("maps/clean/000001.npy", b"")
    assert service.put(manifest["content_url"], content=archive.getvalue()).status_code == 202
    rejected = wait_for(service, f"/v1/map-sets/{manifest['id']}", "ready", "rejected")
    assert (rejected["status"], rejected["problem"]["code"]) == ("rejected", "map-manifest-missing")


def test_maps_of_images_that_follow_another_clean_map_are_refused(
    service: httpx.Client, dataset: Json, sent_back: list[Json], folders: tuple[Path, dict[str, Path]]
) -> None:
    """The manifest of one network's degraded images with the maps of the other; and clean maps made anew."""
    images, maps = folders
    own = {run: images.parent / f"{run} images" for run in RUNS}
    mixed = packed(maps[RUNS[0]], own[RUNS[1]])
    rejected = upload(service, "map-sets", described(dataset, "mixed"), mixed)
    assert (rejected["status"], rejected["problem"]["code"]) == ("rejected", "map-of-another-clean-map"), rejected
    assert f"so with {2 * SAMPLES} maps" in rejected["problem"]["detail"]
    changed = images.parent / "changed"
    shutil.copytree(maps[RUNS[0]], changed)
    file = min((changed / "maps" / "clean").glob("*.npy"))
    np.save(file, np.load(file)[::-1])
    rejected = upload(service, "map-sets", described(dataset, "changed"), packed(changed, own[RUNS[0]]))
    assert (rejected["status"], rejected["problem"]["code"]) == ("rejected", "map-of-another-clean-map"), rejected
    assert "so with 2 maps" in rejected["problem"]["detail"]


def same_maps(
    service: httpx.Client, audit: Json, folders: tuple[Path, dict[str, Path]]
) -> list[tuple[str, str, str, str]]:
    """Scores of noise reaction and degradation whose two maps have the same 8 bits here and there."""
    images, maps = folders
    places = {}
    for line in (images / "views-images.jsonl").read_text().splitlines():
        told = json.loads(line)
        places[told["sample"], told["view"]] = told["map"]
    rows = service.get(f"/v1/audits/{audit['id']}/samples", params={"measure": "noise_reaction", "limit": 500})
    found = []
    for row in rows.json()["items"]:
        if row["model"] not in RUNS:
            continue
        agree = []
        for view in ("clean", row["view"]):
            asked = {"model_id": row["model_id"], "view": view}
            path = f"/v1/audits/{audit['id']}/samples/{row['sample_id']}/map"
            shown = np.array(service.get(path, params=asked).json()["values"])
            raw = np.load(maps[row["model"]] / places[row["sample"], view])
            agree.append(np.array_equal(as_bytes(shown), as_bytes((raw - raw.min()) / (raw.max() - raw.min()))))
        if all(agree):
            found.append((row["model"], row["sample"], row["measure"], row["view"]))
    return found
