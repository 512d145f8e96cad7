"""An audit's comparisons by other similarities, from its stored maps, against the maps that the API shows."""

from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.domain.similarities import Similarity
from tests.waiting import wait_for
from worker.results import stored_maps
from worker.results.rescored_document import rescored_document
from worker.shards.store import read_inputs

Json = dict[str, Any]


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


def test_by_correlation_they_are_those_of_the_shown_maps(service: httpx.Client, audit: Json) -> None:
    found = rescored(service, audit, Similarity.CC)
    rows = service.get(f"/v1/audits/{audit['id']}/samples?measure=stability&limit=200").json()["items"]
    samples = {row["sample_id"] for row in rows}
    assert len(samples) == audit["progress"]["total"]
    models = [model["model_id"] for model in service.get(f"/v1/audits/{audit['id']}/results").json()["models"]]
    scores: dict[str, list[float]] = {"stability": [], "noise_reaction": []}
    for sample in samples:
        path = f"/v1/audits/{audit['id']}/samples/{sample}/map"
        clean, noisy = (
            [np.array(service.get(path, params={"model_id": one, "view": view}).json()["values"]) for one in models]
            for view in ("clean", "noise@0.05")
        )
        pairs = {"stability": pairwise(clean), "noise_reaction": [(clean[0], noisy[0])]}
        for measure, maps in pairs.items():
            scores[measure] += [np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in maps]
    shown = found["summaries"]
    both = means(shown, measure="stability", group="micro")
    first = means(shown, measure="noise_reaction", view="noise@0.05", model_id=models[0], group="micro")
    assert list(both.values()) == [pytest.approx(np.nanmean(scores["stability"]), abs=1e-6)]
    assert list(first.values()) == [pytest.approx(np.nanmean(scores["noise_reaction"]), abs=1e-6)]
    assert {row["method"] for row in shown} == {None, "gradcam"}


@pytest.mark.parametrize("similarity", [Similarity.SPEARMAN, Similarity.SIM, Similarity.EMD, Similarity.IOU])
def test_every_other_similarity_has_its_range(service: httpx.Client, audit: Json, similarity: Similarity) -> None:
    found = rescored(service, audit, similarity)
    low, high = found["value_range"]
    values = [row["mean"] for row in found["summaries"] if row["mean"] is not None]
    assert low <= min(values) < max(values) <= high


def test_what_cannot_be_is_refused(service: httpx.Client, first_entropy: Json) -> None:
    path = f"/v1/audits/{first_entropy['id']}"
    refused = service.post(f"{path}/rescore", json={"similarity": "cc"})
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing-to-rescore")
    assert service.get(f"{path}/rescores/cc").status_code == 404
    assert service.post(f"{path}/rescore", json={"similarity": "cosine"}).status_code == 422
    assert service.post(f"/v1/audits/{uuid4()}/rescore", json={"similarity": "cc"}).status_code == 404
