"""Audits of one sample: nothing could be resampled, so nothing is certain, wherever intervals are told."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.comparisons.real_audits import protocol_for

Json = dict[str, Any]

ON_INTERVALS = ("entropy.mean <= 1 (ci)", "entropy.ci95_low >= 0", "noise_reaction.mean not worse than baseline (ci)")


@pytest.fixture(scope="module")
def baseline(start: Callable[..., Json]) -> Json:
    return start("cross_entropy_run1", sample_limit=1, protocol=protocol_for(*ON_INTERVALS))


@pytest.fixture(scope="module")
def verdict(judge: Callable[..., Json], baseline: Json) -> Json:
    conditions = ("entropy.mean <= 1", *ON_INTERVALS)
    return judge(*conditions, sample_limit=1, baseline_audit_id=baseline["id"])


def test_a_gate_does_not_pass_on_an_interval_of_no_width(service: httpx.Client, verdict: Json) -> None:
    assert [row["outcome"] for row in verdict["conditions"]] == ["passed", *["failed"] * 3]
    assert all("too few samples for an interval" in row["explanation"] for row in verdict["conditions"][1:])
    path = f"/v1/audits/{verdict['audit_id']}/verdict"
    report = service.get(path, headers={"Accept": "application/xml"}).text
    assert report.count('<failure type="failed"') == 3
    assert "too few samples for an interval" in report


def test_results_and_comparisons_have_no_intervals(
    service: httpx.Client, verdict: Json, baseline: Json, compare: Callable[..., Json]
) -> None:
    results = service.get(f"/v1/audits/{verdict['audit_id']}/results").json()
    compared = compare(baseline, {"id": verdict["audit_id"]})["results"]
    rows = results["summaries"] + results["across_models"] + compared["differences"]
    rows += [total for side in compared["sides"] for total in side["totals"]]
    assert {(row["ci95_low"], row["ci95_high"]) for row in rows} == {(None, None)}
    assert {row["n"] for row in compared["differences"]} <= {0, 1}


def test_it_is_told_to_people(service: httpx.Client, verdict: Json) -> None:
    path = f"/v1/audits/{verdict['audit_id']}"
    assert "| none |" in service.get(f"{path}/model-card").text
    assert service.get(f"{path}/report").status_code == 200
