"""Models over real HTTP: what is said, what a probe found, which field is at fault."""

from typing import Any

import pytest

from app.db.tables import ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.api.running_api import Api, check_problem, refer_to
from tests.waiting import RECIPE


def test_what_was_said_is_shown(api: Api) -> None:
    metadata = {"run": 7, "notes": ["ä", "\U0001f600", None], "big": 10**400, "small": 5e-324}
    model = api.register(name="ä run", version="2", metadata=metadata, target_layer="layer4")
    shown = api.client.get(f"/v1/models/{model['id']}").json()
    assert shown == model
    assert (shown["name"], shown["version"], shown["metadata"]) == ("ä run", "2", metadata)
    assert (shown["status"], shown["target_layer"]) == ("awaiting_content", "layer4")
    assert shown["content_url"] == f"/v1/models/{model['id']}/content"
    assert shown["preprocessing"]["resize"] == "stretch"
    assert shown["created_at"].endswith("Z")
    unknown = ("content_digest", "content_size", "parameter_count", "classes", "candidate_layers", "problem")
    assert [shown[name] for name in unknown] == [None] * len(unknown)


def test_what_the_probe_found_is_shown(api: Api) -> None:
    layer = {"name": "blocks.11", "channels": 192, "height": 14, "width": 14}
    layer |= {"layout": "tokens", "grid": [14, 14], "prefix_tokens": 1, "not_possible": ["cam"]}
    probe = {"parameter_count": 5, "classes": 2, "map_height": 7, "map_width": 7, "target_layer": "conv5"}
    probe |= {"candidate_layers": [layer], "in_place_operations": ["relu"], "final_softmax": False}
    model = api.register()
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=probe)
    shown = api.client.get(f"/v1/models/{model['id']}").json()
    assert {name: shown[name] for name in probe} == probe


def test_a_probe_from_before_there_were_layouts(api: Api) -> None:
    model, layer = api.register(), {"name": "conv5", "channels": 1024, "height": 7, "width": 9}
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe={"candidate_layers": [layer]})
    [shown] = api.client.get(f"/v1/models/{model['id']}").json()["candidate_layers"]
    assert shown == layer | {"layout": "nchw", "grid": [7, 9], "prefix_tokens": 0, "not_possible": None}


@pytest.mark.parametrize("name", ["safetensors", "state_dict", "torch", "PyTorch", "pt", "pth", "torch_state_dict"])
def test_formats_and_their_aliases(api: Api, name: str) -> None:
    expected = "safetensors" if name == "safetensors" else "state_dict"
    assert api.register(format=name)["format"] == expected


@pytest.mark.parametrize("name", ["torchscript", "pt2", "keras", "tensorflow", "pickle"])
def test_other_formats_say_what_to_do(api: Api, name: str) -> None:
    answer = api.client.post("/v1/models", json=RECIPE | {"name": "m", "format": name})
    assert "state_dict" in check_problem(answer, 422, "model-format-not-accepted")


def test_a_square_pair_is_an_input_size(api: Api) -> None:
    preprocessing = RECIPE["preprocessing"] | {"input_size": [32, 32]}
    assert api.register(preprocessing=preprocessing)["preprocessing"]["input_size"] == 32


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": 5}, "name"),
        ({"architecture": None}, "architecture"),
        ({"class_names": ["one"]}, "class_names"),
        ({"class_names": ["a", "a"]}, "class_names"),
        ({"class_names": ["a", ""]}, "class_names"),
        ({"metadata": {"a": "x" * 17_000}}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"preprocessing": RECIPE["preprocessing"] | {"input_size": [32, 15]}}, "input_size"),
        ({"preprocessing": RECIPE["preprocessing"] | {"input_size": 15}}, "input_size"),
        ({"preprocessing": RECIPE["preprocessing"] | {"input_size": 10**400}}, "input_size"),
        ({"preprocessing": RECIPE["preprocessing"] | {"mean": [0, 0]}}, "mean"),
        ({"preprocessing": RECIPE["preprocessing"] | {"std": [1, 1, 0]}}, "std"),
        ({"preprocessing": RECIPE["preprocessing"] | {"resize": "crop"}}, "resize"),
    ],
)
def test_the_field_at_fault_is_named(api: Api, change: dict[str, Any], field: str) -> None:
    answer = api.client.post("/v1/models", json=RECIPE | {"name": "m"} | change)
    assert answer.status_code == 422
    assert any(field in problem["loc"] for problem in answer.json()["errors"])


def test_many_faults_make_a_short_answer(api: Api) -> None:
    answer = api.client.post("/v1/models", json=RECIPE | {"name": "m", "class_names": [""] * 50_000})
    assert len(answer.json()["errors"]) == 50
    answer = api.client.post("/v1/datasets", json={"name": "d", "secret" * 10_000: 1})
    assert len(answer.text) < 1000


@pytest.mark.parametrize("body", ['{"name": "a", "metadata": {"x": 1e999}}', '{"name": "a", "metadata": %s}'])
def test_json_that_cannot_be_kept(api: Api, body: str) -> None:
    nested = '{"x":' * 500 + "1" + "}" * 500
    content = body.replace("%s", nested).encode()
    answer = api.client.post("/v1/datasets", content=content, headers={"Content-Type": "application/json"})
    check_problem(answer, 400, "malformed-json")


def test_used_models_stay_and_the_user_is_named(api: Api) -> None:
    first, second = api.register(), api.register()
    group = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": [first["id"], second["id"]]}).json()
    detail = check_problem(api.client.delete(f"/v1/models/{first['id']}"), 409, "model-in-use")
    assert f"run group {group['id']}" in detail
    assert api.client.delete(f"/v1/run-groups/{group['id']}").status_code == 204
    audit_id = refer_to(api, api.register("datasets"), first)
    detail = check_problem(api.client.delete(f"/v1/models/{first['id']}"), 409, "model-in-use")
    assert f"audit {audit_id}" in detail
    assert api.client.delete(f"/v1/models/{second['id']}").status_code == 204
    check_problem(api.client.get(f"/v1/models/{second['id']}"), 404, "not-found")
    check_problem(api.client.delete(f"/v1/models/{second['id']}"), 404, "not-found")
