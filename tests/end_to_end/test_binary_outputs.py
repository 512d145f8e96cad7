"""A detector with one logit through the whole service, beside its rewriting into two rows."""

import csv
import io
from typing import Any

import httpx
import pytest
import torch
from safetensors.torch import load_file, save

from tests.waiting import RECIPE, WEIGHTS, upload, wait_for

Json = dict[str, Any]

MEASURES: Json = {
    "entropy": {},
    "noise_reaction": {"curve": []},
    "geometric_resilience": {"groups": ["flips"]},
    "degradation": {},
    "stability": {},
}
BINARY = {"kind": "binary", "threshold": 0.5}


def weights(*rows: float) -> bytes:
    """One of the example's networks; every row of its last layer is so many times the difference of the two rows."""
    state = load_file(WEIGHTS / "cross_entropy_run1.safetensors")
    for name in ("fc.weight", "fc.bias"):
        difference = state[name][1].float() - state[name][0].float()
        state[name] = torch.stack([difference * factor for factor in rows])
    return save(state)


@pytest.fixture(scope="module")
def one(service: httpx.Client) -> Json:
    return upload(service, "models", RECIPE | {"name": "one logit", "output": BINARY}, weights(1))


def test_the_resource_tells_how_its_output_is_read(one: Json) -> None:
    assert (one["status"], one["classes"], one["output"], one["target_layer"]) == ("ready", 2, BINARY, "conv5")


def test_equal_to_the_two_rows_in_one_audit(service: httpx.Client, dataset: Json, one: Json) -> None:
    two = upload(service, "models", RECIPE | {"name": "two rows"}, weights(-0.5, 0.5))
    body = {
        "dataset_id": dataset["id"],
        "model_ids": [one["id"], two["id"]],
        "protocol": {"micro_batch": 4, "measures": MEASURES},
        "sample_limit": 8,
    }
    audit = service.post("/v1/audits", json=body).json()
    assert wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")["status"] == "succeeded"
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    by_model: dict[str, dict[tuple[str, str], tuple[float, str]]] = {one["id"]: {}, two["id"]: {}}
    for row in rows:
        if row["measure"] == "stability":
            assert float(row["score"]) == pytest.approx(1, abs=1e-6)
        else:
            by_model[row["model_id"]][row["sample"], row["view"]] = (float(row["score"]), row["predicted_label"])
    assert by_model[one["id"]].keys() == by_model[two["id"]].keys()
    assert {label for _, label in by_model[one["id"]].values()} == {"face", "non_face"}
    for key, (score, label) in by_model[one["id"]].items():
        assert score == pytest.approx(by_model[two["id"]][key][0], abs=1e-6), key
        assert label == by_model[two["id"]][key][1], key
    results = service.get(f"/v1/audits/{audit['id']}/results").json()
    _check_sides(results, one["id"], by_model[one["id"]])
    clean = {row["model_id"]: row for row in results["performance"] if row["condition"] == "clean"}
    assert clean[one["id"]]["accuracy"] == clean[two["id"]]["accuracy"]
    assert clean[one["id"]]["auroc"] == pytest.approx(clean[two["id"]]["auroc"], abs=1e-12)
    thresholds = clean[one["id"]]["roc"]["threshold"][1:]
    assert thresholds == pytest.approx(clean[two["id"]]["roc"]["threshold"][1:], abs=1e-6)


def _check_sides(results: Json, model_id: str, rows: dict[tuple[str, str], tuple[float, str]]) -> None:
    """Scores of samples whose prediction flips are told apart from the others', by hand from the export."""
    totals = {
        row["view"]: row
        for row in results["summaries"]
        if (row["model_id"], row["group_by"], row["group"]) == (model_id, "total", "micro")
    }
    found = 0
    for view in ("noise@0.05", "flip_vertical", "salience_removed"):
        sides: dict[bool, list[float]] = {True: [], False: []}
        for (sample, name), (score, label) in rows.items():
            if name == view:
                sides[label != rows[sample, "spatial"][1]].append(score)
        total = totals[view]
        assert total["n_flipped"] == len(sides[True])
        for name, scores in (("mean_flipped", sides[True]), ("mean_kept", sides[False])):
            assert total[name] == (pytest.approx(sum(scores) / len(scores)) if scores else None)
        found += len(sides[True])
    assert "n_flipped" not in totals["spatial"]
    told = [finding for finding in results["findings"] if finding["code"] == "flipped-sides"]
    assert len(told) == min(found, 1)
    assert found


@pytest.mark.parametrize(
    ("described", "rows", "code", "advice"),
    [
        ({}, (1,), "model-output-mismatch", '"output": {"kind": "binary"}'),
        ({"output": BINARY}, (-1, 1), "model-output-mismatch", 'leave "output" out and send 2 class_names'),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(
    service: httpx.Client, described: Json, rows: tuple[float, ...], code: str, advice: str
) -> None:
    model = upload(service, "models", RECIPE | {"name": "misfit"} | described, weights(*rows))
    assert (model["status"], model["problem"]["code"]) == ("rejected", code)
    assert advice in model["problem"]["detail"]


@pytest.mark.parametrize(
    "described",
    [
        {"class_names": ["fake"]},
        {"class_names": ["fake"], "output": BINARY},
        {"class_names": ["a", "b", "c"], "output": BINARY},
        {"output": {"kind": "classes", "threshold": 0.3}},
        {"output": {"kind": "binary", "threshold": 1}},
        {"output": {"kind": "odd"}},
    ],
)
def test_descriptions_that_cannot_be_right(service: httpx.Client, described: Json) -> None:
    assert service.post("/v1/models", json=RECIPE | {"name": "odd"} | described).status_code == 422
