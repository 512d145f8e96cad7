"""Map sets as subjects of real audits: their own measures, alone and beside a model, and their reports."""

from itertools import product

import httpx
import pytest

from tests.map_sets.annotators import LEFT_OUT, SAMPLES, SIDES, Json, Scores, Sets, at_smaller, by_ssim, stretched
from tests.reference import spatial
from tests.reports.reading import Report


def test_map_sets_are_subjects_with_numbers_of_their_own(
    audit: Json,
    map_sets: list[Json],
    results: Json,
    sets: Sets,
    scores: Scores,
) -> None:
    assert audit["map_set_ids"] == [one["id"] for one in map_sets]
    assert [one["name"] for one in results["map_sets"]] == [*sets]
    keys = [one["subject"] for one in results["map_sets"]]
    [model] = audit["model_ids"]
    of_sets = {
        (sample, key): score for (sample, key, view), score in scores.items() if view == "spatial" and key in keys
    }
    looked_at = {sample for sample, key, view in scores if (key, view) == (model, "spatial")}
    assert len(looked_at) == SAMPLES
    assert LEFT_OUT in looked_at
    assert of_sets.keys() == {*product(looked_at, keys)} - {(LEFT_OUT, keys[1])}
    for (sample, key), score in of_sets.items():
        own = stretched(sets[[*sets][keys.index(key)]][sample])
        assert score == pytest.approx(spatial(own), abs=1e-5)
    views = {subject: {view for _, own, view in scores if own == subject} for subject in [model, *keys]}
    assert views[keys[0]] & {"cc@1", "cc@2", "cc@rest"} == {"cc@2", "cc@rest"}
    assert views[model] >= {f"{one}@rest" for one in ("ssim", "cc", "spearman", "sim", "kl", "iou")}


def test_an_audit_of_map_sets_alone(service: httpx.Client, alone: Json, sets: Sets) -> None:
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
