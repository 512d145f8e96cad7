"""Real audits of the example's networks by the running service, each made once for all tests."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prepare import build_archive

from tests.comparisons.real_audits import ENTROPY_ONLY, PROTOCOL, SAMPLES, WITH_EVERYTHING, protocol_for
from tests.waiting import upload, upload_run, wait_for

Json = dict[str, Any]


@pytest.fixture(scope="session")
def dataset(service: httpx.Client) -> Json:
    return upload(service, "datasets", {"name": "faces"}, build_archive())


@pytest.fixture(scope="session")
def models(service: httpx.Client) -> dict[str, Json]:
    names = [f"{kind}_run{run}" for kind in ("cross_entropy", "human_guided") for run in (1, 2)]
    return {name: upload_run(service, name) for name in names}


@pytest.fixture(scope="session")
def start(service: httpx.Client, dataset: Json, models: dict[str, Json]) -> Callable[..., Json]:
    def start_audit(*names: str, **changes: Any) -> Json:
        ids = [models[name]["id"] for name in names]
        body = {"dataset_id": dataset["id"], "model_ids": ids, "protocol": PROTOCOL, "sample_limit": SAMPLES} | changes
        answer = service.post("/v1/audits", json=body)
        assert answer.status_code == 202, answer.text
        return wait_for(service, f"/v1/audits/{answer.json()['id']}", "succeeded", "failed")

    return start_audit


@pytest.fixture(scope="session")
def first(start: Callable[..., Json]) -> Json:
    return start("cross_entropy_run1", name="first")


@pytest.fixture(scope="session")
def second(start: Callable[..., Json]) -> Json:
    return start("human_guided_run1", name="second")


@pytest.fixture(scope="session")
def first_entropy(start: Callable[..., Json], first: Json) -> Json:
    """Of the first one's images and network, by one measure; it has the maps that are there."""
    return start("cross_entropy_run1", protocol=ENTROPY_ONLY)


@pytest.fixture(scope="session")
def groups(start: Callable[..., Json]) -> list[Json]:
    """Two audits of two runs each, with stability; no curve and no degradation."""
    measures: Json = {"entropy": {}, "noise_reaction": {"curve": []}, "stability": {}}
    protocol = {"micro_batch": 4, "measures": measures}
    kinds = ("cross_entropy", "human_guided")
    return [start(*(f"{kind}_run{run}" for run in (1, 2)), protocol=protocol, name=kind) for kind in kinds]


@pytest.fixture(scope="session")
def compare(service: httpx.Client) -> Callable[..., Json]:
    def ask(*audits: Json, **changes: Any) -> Json:
        body = {"audit_ids": [audit["id"] for audit in audits]} | changes
        answer = service.post("/v1/comparisons", json=body)
        assert answer.status_code == 202, answer.text
        location = answer.headers["location"]
        assert location == f"/v1/comparisons/{answer.json()['id']}"
        return wait_for(service, location, "succeeded", "failed")

    return ask


@pytest.fixture(scope="session")
def comparison(compare: Callable[..., Json], first: Json, second: Json) -> Json:
    found = compare(first, second, name="strategies")
    assert found["status"] == "succeeded", found
    return found


@pytest.fixture(scope="session")
def make_gate(service: httpx.Client) -> Callable[..., Json]:
    def make(*conditions: str, name: str = "release") -> Json:
        answer = service.post("/v1/gates", json={"name": name, "conditions": list(conditions)})
        assert answer.status_code == 201, answer.text
        assert answer.headers["location"] == f"/v1/gates/{answer.json()['id']}"
        made: Json = answer.json()
        return made

    return make


@pytest.fixture(scope="session")
def judge(service: httpx.Client, start: Callable[..., Json], make_gate: Callable[..., Json]) -> Callable[..., Json]:
    """The verdict of a gate on a run of the example, and the audit as it is shown."""

    def judged(*conditions: str, runs: tuple[str, ...] = ("cross_entropy_run1",), **changes: Any) -> Json:
        asked = {"protocol": protocol_for(*conditions), "gate_id": make_gate(*conditions)["id"]}
        audit = start(*runs, **asked | changes)
        assert audit["status"] == "succeeded", audit
        verdict = service.get(f"/v1/audits/{audit['id']}/verdict")
        assert verdict.status_code == 200, verdict.text
        document: Json = verdict.json()
        assert (audit["verdict"], audit["conditions"]) == (document["verdict"], document["conditions"])
        assert audit["gate"] == document["gate"]
        return document

    return judged


@pytest.fixture(scope="session")
def strategies(
    service: httpx.Client, models: dict[str, Json], start: Callable[..., Json], make_gate: Callable[..., Json]
) -> list[Json]:
    """An audit of each strategy's run group, with every measure and a short noise curve; the second has a gate."""
    gate = make_gate("entropy.spatial.mean <= 1", "stability.mean >= 0.999 (warn)", name="report gate")
    protocol = {"micro_batch": 4, "measures": WITH_EVERYTHING}
    audits = []
    for kind in ("cross_entropy", "human_guided"):
        ids = [models[f"{kind}_run{run}"]["id"] for run in (1, 2)]
        group = service.post("/v1/run-groups", json={"name": kind, "model_ids": ids})
        assert group.status_code == 201, group.text
        gated = {"gate_id": gate["id"]} if kind == "human_guided" else {}
        changes = {"model_ids": None, "run_group_id": group.json()["id"], "protocol": protocol, "name": kind}
        audits.append(start(**changes, **gated, sample_limit=6))
    return audits


@pytest.fixture(scope="session")
def strategies_compared(compare: Callable[..., Json], strategies: list[Json]) -> Json:
    found = compare(*strategies, name="two strategies")
    assert found["status"] == "succeeded", found
    return found
