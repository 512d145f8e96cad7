"""An audit's comparisons by other similarities, from its stored maps, against the maps that the API shows."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.maps.similarities import Similarity
from benchmarks.similarities import PEERS
from tests.waiting import wait_for
from worker.results import stored_maps
from worker.results.rescored_document import rescored_document
from worker.shards.store import read_inputs

Json = dict[str, Any]
Map = NDArray[np.float64]


@pytest.fixture(scope="module")
def audit(strategies: list[Json]) -> Json:
    """Of two runs, with every measure."""
    return strategies[0]


def rescored(service: httpx.Client, audit: Json, similarity: Similarity) -> Json:
    answers = [service.post(f"/v1/audits/{audit['id']}/rescore", json={"similarity": similarity}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    location = answers[0].headers["location"]
    assert location == answers[1].headers["location"] == f"/v1/audits/{audit['id']}/rescores/{similarity}"
    found = wait_for(service, location, "succeeded", "failed")
    assert found["status"] == "succeeded", found
    results: Json = found["results"]
    return results


def means(rows: list[Json], **wanted: Any) -> dict[tuple[Any, ...], float]:
    names = ("measure", "view", "model_id", "group_by", "group")
    return {
        tuple(row[name] for name in names): row["mean"]
        for row in rows
        if all(row[name] == value for name, value in wanted.items())
    }


def test_by_ssim_they_are_what_the_audit_says(service: httpx.Client, audit: Json) -> None:
    """Of 8-bit native maps: noise reaction and stability, but not degradation, which compares maps of image size."""
    found = rescored(service, audit, Similarity.SSIM)
    own = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    for measure in ("noise_reaction", "stability"):
        expected, again = (means(rows, measure=measure) for rows in (own, found["summaries"]))
        assert expected.keys() == again.keys()
        assert all(again[key] == pytest.approx(value, abs=1e-9) for key, value in expected.items())
    assert {"entropy", "geometric_resilience"} <= set(found["left_out"])
    assert not {row["measure"] for row in found["summaries"]} & set(found["left_out"])


def test_maps_are_read_in_as_many_parts_as_memory_asks_for(
    service: httpx.Client, audit: Json, service_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_maps, "MOST_BYTES", 1)
    with Session(service_engine) as session:
        found = rescored_document(session, read_inputs(session, UUID(audit["id"])), Similarity.CC)
    assert found == rescored(service, audit, Similarity.CC)


@pytest.fixture(scope="module")
def pairs(service: httpx.Client, audit: Json) -> dict[str, list[tuple[Map, Map]]]:
    """The maps that the API shows, as they are compared: of both runs, and of the first one under noise."""
    rows = service.get(f"/v1/audits/{audit['id']}/samples?measure=stability&limit=200").json()["items"]
    samples = {row["sample_id"] for row in rows}
    assert len(samples) == audit["progress"]["total"]
    first, second = audit["model_ids"]

    def shown(sample: str, model: str, view: str) -> Map:
        asked = {"model_id": model, "view": view}
        return np.array(service.get(f"/v1/audits/{audit['id']}/samples/{sample}/map", params=asked).json()["values"])

    clean = {sample: shown(sample, first, "clean") for sample in samples}
    return {
        "stability": [(own, shown(sample, second, "clean")) for sample, own in clean.items()],
        "noise_reaction": [(own, shown(sample, first, "noise@0.05")) for sample, own in clean.items()],
    }


BY_HAND = (Similarity.CC, Similarity.SPEARMAN, Similarity.SIM, Similarity.EMD, Similarity.IOU)


@pytest.mark.parametrize("similarity", BY_HAND)
def test_means_are_those_of_the_shown_maps(
    service: httpx.Client, audit: Json, pairs: dict[str, list[tuple[Map, Map]]], similarity: Similarity
) -> None:
    """By SciPy's pearsonr, spearmanr and linprog, and by sets of cells."""
    found = rescored(service, audit, similarity)
    rows, compare = found["summaries"], PEERS[similarity][1]
    [both] = means(rows, measure="stability", group="micro").values()
    wanted = {"measure": "noise_reaction", "view": "noise@0.05", "model_id": audit["model_ids"][0], "group": "micro"}
    [noisy] = means(rows, **wanted).values()
    for mean, own in ((both, pairs["stability"]), (noisy, pairs["noise_reaction"])):
        defined = [(one, other) for one, other in own if np.ptp(one) and np.ptp(other)]
        expected = np.mean([compare(*(each.astype(np.float32) for each in pair)) for pair in defined])
        assert mean == pytest.approx(expected, abs=1e-6)
    assert {row["method"] for row in rows} == {None, "gradcam"}
    assert {row["subject"] for row in rows} == {None, *audit["model_ids"]}
    assert (found["left_out_subjects"], found["notes"]) == ([], [])


def test_methods_as_large_as_the_image_are_left_out(service: httpx.Client, start: Any) -> None:
    """All others are compared; where there is no other, nothing is."""
    measures: Json = {"noise_reaction": {"curve": []}, "agreement": {}}
    salience = {"methods": ["gradcam", "rise"], "masks": 100}
    audit = start("cross_entropy_run1", protocol={"salience": salience, "measures": measures}, sample_limit=2)
    [model_id] = audit["model_ids"]
    found = rescored(service, audit, Similarity.CC)
    assert found["left_out_subjects"] == [f"{model_id}:rise"]
    assert {(row["measure"], row["subject"]) for row in found["summaries"]} == {("noise_reaction", model_id)}


def test_what_cannot_be_is_refused(service: httpx.Client, first_entropy: Json) -> None:
    path = f"/v1/audits/{first_entropy['id']}"
    refused = service.post(f"{path}/rescore", json={"similarity": "cc"})
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing-to-rescore")
    assert service.get(f"{path}/rescores/cc").status_code == 404
    assert service.post(f"{path}/rescore", json={"similarity": "cosine"}).status_code == 422
    assert service.post(f"/v1/audits/{uuid4()}/rescore", json={"similarity": "cc"}).status_code == 404
