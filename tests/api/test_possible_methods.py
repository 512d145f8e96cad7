"""CAM methods that suppose another form of network are refused before an audit starts, as the models' probes tell."""

from typing import Any

import pytest

from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import CamMethod, ResourceStatus
from tests.api.running_api import Api, check_problem
from tests.api.test_estimates import FACTS

LAYER = {"name": "last", "channels": 8, "height": 7, "width": 7}
NO_ATTENTION = [method for method in CamMethod if method is not CamMethod.ATTENTION_ROLLOUT]
OF_A_GRAPH = ["gradcam", "cam", "occlusion", "rise"]


@pytest.fixture(scope="module")
def dataset_id(api: Api) -> str:
    dataset = api.register("datasets")
    api.set_row(DatasetRow, dataset, status=ResourceStatus.READY, sample_count=20, labels=["face", "non_face"])
    return str(dataset["id"])


@pytest.fixture(scope="module")
def network(api: Api) -> str:
    """Another layer of which has no linear head behind it."""
    early = LAYER | {"name": "early", "not_possible": ["cam", "attention_rollout"]}
    layers = [early, LAYER | {"not_possible": ["attention_rollout"]}]
    return ready(api, {"candidate_layers": layers, "cam_methods": NO_ATTENTION})


@pytest.fixture(scope="module")
def graph(api: Api) -> str:
    return ready(api, {"cam_methods": OF_A_GRAPH}, format="onnx", architecture=None)


@pytest.fixture(scope="module")
def unknown(api: Api) -> str:
    """Its probe was made by an earlier version."""
    return ready(api, {"cam_methods": None})


def ready(api: Api, facts: dict[str, Any], **values: Any) -> str:
    model = api.register()
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=FACTS | {"speed": None} | facts, **values)
    return str(model["id"])


def asked(dataset_id: str, *models: str, layer: str | None = None, methods: tuple[str, ...] = ("gradcam",)) -> Any:
    salience = {"methods": methods, "target_layer": layer}
    return {
        "dataset_id": dataset_id,
        "model_ids": models,
        "protocol": {"salience": salience, "measures": {"entropy": {}}},
    }


def test_refused_by_both_routes_with_the_model_and_the_reason(api: Api, dataset_id: str, network: str) -> None:
    body = asked(dataset_id, network, methods=("gradcam", "attention_rollout"))
    for route in ("/v1/audits", "/v1/audits:estimate"):
        detail = check_problem(api.client.post(route, json=body), 422, "cam-method-not-possible")
        assert f"attention_rollout is not possible for the model {network} (" in detail
        assert "does not attend over all tokens" in detail
        assert detail.endswith(f"Ask for one of these: {', '.join(NO_ATTENTION)}.")


def test_what_is_possible_hangs_on_the_layer(api: Api, dataset_id: str, network: str) -> None:
    assert estimate(api, asked(dataset_id, network, methods=("cam",))) == 200
    assert estimate(api, asked(dataset_id, network, layer="last", methods=("cam",))) == 200
    assert estimate(api, asked(dataset_id, network, layer="early")) == 200
    refused = api.client.post("/v1/audits", json=asked(dataset_id, network, layer="early", methods=("cam",)))
    detail = check_problem(refused, 422, "cam-method-not-possible")
    assert "behind its target layer there is more than a mean" in detail


def test_of_several_models_those_are_named_that_all_have(api: Api, dataset_id: str, network: str, graph: str) -> None:
    body = asked(dataset_id, network, graph, methods=("cam", "shapleycam"))
    detail = check_problem(api.client.post("/v1/audits", json=body), 422, "cam-method-not-possible")
    assert f"shapleycam is not possible for the model {graph}" in detail
    assert "ONNX graph" in detail
    assert detail.endswith(f"Ask for one of these: {', '.join(sorted(OF_A_GRAPH, key=order))}.")
    assert estimate(api, asked(dataset_id, network, graph, methods=("cam", "occlusion"))) == 200


def test_a_probe_of_an_earlier_version_refuses_nothing(api: Api, dataset_id: str, unknown: str) -> None:
    assert estimate(api, asked(dataset_id, unknown, methods=("attention_rollout",))) == 200


def estimate(api: Api, body: Any) -> int:
    return api.client.post("/v1/audits:estimate", json=body).status_code


def order(method: str) -> int:
    return [*CamMethod].index(CamMethod(method))
