"""A network as an ONNX graph through the whole service, beside the same network from its weights."""

import csv
import io
from typing import Any

import httpx
import pytest
from safetensors.torch import load_file
from torch import nn
from torchvision.models import get_model

from tests.waiting import RECIPE, WEIGHTS, upload, wait_for
from tests.weights.onnx.graphs import exported, small
from tests.weights.onnx.test_graphs import OF_ANY_HEAD

Json = dict[str, Any]

MEASURES: Json = {
    "entropy": {},
    "noise_reaction": {"curve": []},
    "geometric_resilience": {"groups": ["flips"]},
    "degradation": {},
    "stability": {},
}
GRAPH = {name: value for name, value in RECIPE.items() if name != "architecture"} | {"name": "graph", "format": "onnx"}


def in_onnx() -> bytes:
    """One of the example's networks, for three images at once, with a softmax behind it."""
    network = get_model(RECIPE["architecture"], weights=None, num_classes=2)
    network.load_state_dict(load_file(WEIGHTS / "cross_entropy_run1.safetensors"))
    return exported(nn.Sequential(network, nn.Softmax(1)).eval(), size=224, batch=3, free=False)


@pytest.fixture(scope="module")
def as_graph(service: httpx.Client) -> Json:
    return upload(service, "models", GRAPH, in_onnx())


def test_the_resource_tells_what_was_found(as_graph: Json) -> None:
    assert (as_graph["status"], as_graph["problem"]) == ("ready", None)
    assert (as_graph["format"], as_graph["architecture"], as_graph["classes"]) == ("onnx", None, 2)
    assert (as_graph["final_softmax"], as_graph["map_height"], as_graph["map_width"]) == (True, 7, 7)
    assert as_graph["cam_methods"][0] == "gradcam"
    assert as_graph["speed"]["seconds_per_image"] > 0
    told = {name: fact["value"] for name, fact in as_graph["description"].items() if name.startswith("graph.")}
    assert (told["graph.batch"], told["graph.salience"]) == (3, "closed form")


def test_all_measures_are_those_of_the_weights(service: httpx.Client, dataset: Json, as_graph: Json) -> None:
    weights = (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()
    as_weights = upload(service, "models", RECIPE | {"name": "weights"}, weights)
    body = {
        "dataset_id": dataset["id"],
        "model_ids": [as_graph["id"], as_weights["id"]],
        "protocol": {"micro_batch": 4, "measures": MEASURES},
        "sample_limit": 8,
    }
    audit = service.post("/v1/audits", json=body).json()
    ended = wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    text = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"}).text
    by_model: dict[str, dict[tuple[str, str], tuple[float, str]]] = {as_graph["id"]: {}, as_weights["id"]: {}}
    for row in csv.DictReader(io.StringIO(text)):
        if row["measure"] == "stability":
            assert float(row["score"]) == pytest.approx(1, abs=1e-4)
        else:
            by_model[row["model_id"]][row["sample"], row["view"]] = (float(row["score"]), row["predicted_label"])
    graph, expected = by_model[as_graph["id"]], by_model[as_weights["id"]]
    assert graph.keys() == expected.keys()
    assert len(graph) == 8 * 8
    for key, (score, label) in expected.items():
        # A cell of an 8-bit map may fall on the other side of a step.
        assert graph[key][0] == pytest.approx(score, abs=0.01), key
        assert graph[key][1] == label, key
    results = service.get(f"/v1/audits/{audit['id']}/results").json()
    clean = {row["model_id"]: row for row in results["performance"] if row["condition"] == "clean"}
    assert clean[as_graph["id"]]["accuracy"] == clean[as_weights["id"]]["accuracy"]


def test_methods_that_need_gradients_are_refused_with_those_that_work(
    service: httpx.Client, dataset: Json, as_graph: Json
) -> None:
    salience = {"method": "shapleycam"}
    body = {"dataset_id": dataset["id"], "model_ids": [as_graph["id"]], "protocol": {"salience": salience}}
    answer = service.post("/v1/audits", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "cam-method-not-possible")
    assert "gradcam, gradcam_plus_plus, hirescam, xgradcam, layercam, eigencam" in answer.json()["detail"]


def test_a_graph_names_no_architecture(service: httpx.Client) -> None:
    answer = service.post("/v1/models", json=GRAPH | {"architecture": "resnet18", "head": [{"linear": 2}]})
    assert (answer.status_code, answer.json()["code"]) == (422, "validation-error")
    assert [each["loc"] for each in answer.json()["errors"]] == [["body", "architecture"], ["body", "head"]]


def test_a_graph_with_another_head_is_audited_by_reciprocam(service: httpx.Client, dataset: Json) -> None:
    content = exported(small(end=nn.Sequential(nn.ReLU(), nn.Linear(3, 2))))
    described = GRAPH | {"preprocessing": RECIPE["preprocessing"] | {"input_size": 32}}
    model = upload(service, "models", described, content)
    assert (model["status"], model["cam_methods"]) == ("ready", [*OF_ANY_HEAD])
    assert model["description"]["graph.salience"]["value"] == "head alone"
    body = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "sample_limit": 4}
    assert service.post("/v1/audits", json=body).json()["code"] == "cam-method-not-possible"
    measures: Json = {"entropy": {}, "geometric_resilience": {}}
    protocol = {"micro_batch": 4, "salience": {"method": "reciprocam"}, "measures": measures}
    audit = service.post("/v1/audits", json=body | {"protocol": protocol}).json()
    ended = wait_for(service, f"/v1/audits/{audit['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded", ended
    summaries = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    assert {(row["measure"], row["n"], row["n_undefined"]) for row in summaries if row["group"] == "macro"} <= {
        ("entropy", 4, 0),
        ("geometric_resilience", 4, 0),
    }
