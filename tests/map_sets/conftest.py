"""Audits of a model beside two annotators, and of the annotators alone."""

from collections.abc import Callable

import httpx
import pytest

from tests.map_sets.annotators import LEFT_OUT, PROTOCOL, SAMPLES, SIDES, Json, Scores, Sets, drawn, scores_of
from tests.map_sets.packing import npy, zipped
from tests.waiting import upload, wait_for

CONDITIONS = (
    "agreement.cc@1.mean >= -1",
    "agreement.cc@rest[worst model].ci95_low >= 1",
    "agreement.kl@2.mean > agreement.kl@2.control_mean (warn)",
    "agreement.cc@3.mean >= 0 (missing ok)",
)


@pytest.fixture(scope="session")
def sets() -> Sets:
    return {name: drawn(sides, seed) for seed, (name, sides) in enumerate(SIDES.items())}


@pytest.fixture(scope="session")
def map_sets(service: httpx.Client, dataset: Json, sets: Sets) -> list[Json]:
    """Of two annotators, whose maps have several sizes; the second one left out an image."""
    made = []
    for name, maps in sets.items():
        files = {f"{sample}.npy": npy(one) for sample, one in maps.items()}
        if name == "second":
            files.pop(f"{LEFT_OUT}.npy")
        described = {"name": name, "dataset_id": dataset["id"], "kind": "human"}
        made.append(upload(service, "map-sets", described, zipped(files)))
    assert [one["map_count"] for one in made] == [200, 199]
    return made


@pytest.fixture(scope="session")
def audit(start: Callable[..., Json], map_sets: list[Json], make_gate: Callable[..., Json]) -> Json:
    ids, gate = [one["id"] for one in map_sets], make_gate(*CONDITIONS)["id"]
    ended = start("cross_entropy_run1", protocol=PROTOCOL, sample_limit=SAMPLES, map_set_ids=ids, gate_id=gate)
    assert ended["status"] == "succeeded", ended
    return ended


@pytest.fixture(scope="session")
def results(service: httpx.Client, audit: Json) -> Json:
    found: Json = service.get(f"/v1/audits/{audit['id']}/results").json()
    return found


@pytest.fixture(scope="session")
def scores(service: httpx.Client, audit: Json) -> Scores:
    return scores_of(service, audit)


@pytest.fixture(scope="session")
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
