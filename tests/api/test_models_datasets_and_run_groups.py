"""Resources over real HTTP: registered, listed, filtered, paged, grouped and deleted."""

import json
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from app.db.session import transaction
from app.db.tables import AuditModelRow, AuditRow, DatasetRow, ModelRow, SampleRow
from app.domain.vocabulary import AuditStatus, ResourceStatus, SampleStatus
from tests.api.running_api import Api, check_problem
from tests.factories import audit_row, sample_row
from tests.waiting import RECIPE


def pages(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params=query | cursor).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert page["items"]
        cursor = {"cursor": page["next_cursor"]}


def refer_to(api: Api, dataset: dict[str, Any], model: dict[str, Any]) -> UUID:
    """An audit of the model on the data set, as a row."""
    with transaction(api.engine) as session:
        session.add(audit := audit_row(UUID(dataset["id"]), sample_count=0))
        session.flush()
        session.add(AuditModelRow(audit_id=audit.id, ordinal=0, model_id=UUID(model["id"])))
        return audit.id


class TestModels:
    def test_what_was_said_is_shown(self, api: Api) -> None:
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

    def test_what_the_probe_found_is_shown(self, api: Api) -> None:
        layer = {"name": "blocks.11", "channels": 192, "height": 14, "width": 14}
        layer |= {"layout": "tokens", "grid": [14, 14], "prefix_tokens": 1, "not_possible": ["cam"]}
        probe = {"parameter_count": 5, "classes": 2, "map_height": 7, "map_width": 7, "target_layer": "conv5"}
        probe |= {"candidate_layers": [layer], "in_place_operations": ["relu"], "final_softmax": False}
        model = api.register()
        api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=probe)
        shown = api.client.get(f"/v1/models/{model['id']}").json()
        assert {name: shown[name] for name in probe} == probe

    def test_a_probe_from_before_there_were_layouts(self, api: Api) -> None:
        model, layer = api.register(), {"name": "conv5", "channels": 1024, "height": 7, "width": 9}
        api.set_row(ModelRow, model, status=ResourceStatus.READY, probe={"candidate_layers": [layer]})
        [shown] = api.client.get(f"/v1/models/{model['id']}").json()["candidate_layers"]
        assert shown == layer | {"layout": "nchw", "grid": [7, 9], "prefix_tokens": 0, "not_possible": None}

    @pytest.mark.parametrize("name", ["safetensors", "state_dict", "torch", "PyTorch", "pt", "pth", "torch_state_dict"])
    def test_formats_and_their_aliases(self, api: Api, name: str) -> None:
        expected = "safetensors" if name == "safetensors" else "state_dict"
        assert api.register(format=name)["format"] == expected

    @pytest.mark.parametrize("name", ["torchscript", "pt2", "keras", "tensorflow", "pickle"])
    def test_other_formats_say_what_to_do(self, api: Api, name: str) -> None:
        answer = api.client.post("/v1/models", json=RECIPE | {"name": "m", "format": name})
        assert "state_dict" in check_problem(answer, 422, "model-format-not-accepted")

    def test_a_square_pair_is_an_input_size(self, api: Api) -> None:
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
    def test_the_field_at_fault_is_named(self, api: Api, change: dict[str, Any], field: str) -> None:
        answer = api.client.post("/v1/models", json=RECIPE | {"name": "m"} | change)
        assert answer.status_code == 422
        assert any(field in problem["loc"] for problem in answer.json()["errors"])

    def test_many_faults_make_a_short_answer(self, api: Api) -> None:
        answer = api.client.post("/v1/models", json=RECIPE | {"name": "m", "class_names": [""] * 50_000})
        assert len(answer.json()["errors"]) == 50
        answer = api.client.post("/v1/datasets", json={"name": "d", "secret" * 10_000: 1})
        assert len(answer.text) < 1000

    @pytest.mark.parametrize("body", ['{"name": "a", "metadata": {"x": 1e999}}', '{"name": "a", "metadata": %s}'])
    def test_json_that_cannot_be_kept(self, api: Api, body: str) -> None:
        nested = '{"x":' * 500 + "1" + "}" * 500
        content = body.replace("%s", nested).encode()
        answer = api.client.post("/v1/datasets", content=content, headers={"Content-Type": "application/json"})
        check_problem(answer, 400, "malformed-json")

    def test_used_models_stay_and_the_user_is_named(self, api: Api) -> None:
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


@pytest.mark.parametrize(("collection", "table"), [("models", ModelRow), ("datasets", DatasetRow)])
def test_lists(api: Api, collection: str, table: type[ModelRow | DatasetRow]) -> None:
    name = uuid4().hex
    made = [api.register(collection, name=name) for _ in range(5)]
    api.set_row(table, made[2], status=ResourceStatus.READY)
    listed = pages(api.client, f"/v1/{collection}", name=name, limit=2)
    assert [item["id"] for item in listed] == [item["id"] for item in reversed(made)]
    ready = pages(api.client, f"/v1/{collection}", name=name, status="ready")
    assert [item["id"] for item in ready] == [made[2]["id"]]
    everything = [item["id"] for item in pages(api.client, f"/v1/{collection}", limit=3)]
    assert everything == sorted(set(everything), reverse=True)
    check_problem(api.client.get(f"/v1/{collection}?status=done"), 422, "validation-error")


@pytest.mark.parametrize("cursor", ["W10", "WyJhIl0", "WyJcdTAwMDAiXQ", "WzFlOTk5XQ", "_", "W1tbW1tb", "é", "%FF"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/datasets", "/v1/run-groups"])
def test_forged_cursors(api: Api, path: str, cursor: str) -> None:
    check_problem(api.client.get(f"{path}?cursor={cursor}"), 422, "invalid-cursor")


class TestDatasets:
    def test_what_was_said_is_shown(self, api: Api) -> None:
        dataset = api.register("datasets", name="faces", metadata={"from": "LFW"})
        assert api.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset
        assert (dataset["sample_count"], dataset["labels"], dataset["digest"]) == (0, [], None)

    def test_samples_by_name_and_by_filter(self, api: Api) -> None:
        dataset = api.register("datasets")
        names = ["a/x/Z.png", "a/x/a.png", "b/y/ä.png", "b/x/\U0001f600.png", "b/x/broken.png"]
        with transaction(api.engine) as session:
            session.add_all(sample(UUID(dataset["id"]), number, name) for number, name in enumerate(names))
        path = f"/v1/datasets/{dataset['id']}/samples"
        assert [item["sample"] for item in pages(api.client, path, limit=2)] == sorted(names)
        assert [item["sample"] for item in pages(api.client, path, status="unreadable")] == ["b/x/broken.png"]
        assert [item["sample"] for item in pages(api.client, path, label="b", source="y")] == ["b/y/ä.png"]
        assert pages(api.client, path, label="%") == []
        broken = pages(api.client, path, status="unreadable")[0]
        assert broken["problem"] == {"code": "sample-corrupt", "detail": "Cut off."}
        check_problem(api.client.get(f"{path}?cursor=WyJcdTAwMDAiXQ"), 422, "invalid-cursor")
        check_problem(api.client.get(f"/v1/datasets/{uuid4()}/samples"), 404, "not-found")

    def test_used_data_sets_stay(self, api: Api) -> None:
        dataset = api.register("datasets")
        audit_id = refer_to(api, dataset, api.register())
        detail = check_problem(api.client.delete(f"/v1/datasets/{dataset['id']}"), 409, "dataset-in-use")
        assert f"audit {audit_id}" in detail
        unused = api.register("datasets")
        with transaction(api.engine) as session:
            session.add(sample(UUID(unused["id"]), 0, "a/b.png"))
        assert api.client.delete(f"/v1/datasets/{unused['id']}").status_code == 204


def sample(dataset_id: UUID, number: int, name: str) -> SampleRow:
    is_broken = "broken" in name
    return sample_row(
        dataset_id,
        name=name,
        position=None if is_broken else number,
        status=SampleStatus.UNREADABLE if is_broken else SampleStatus.READY,
        label=name.split("/", maxsplit=1)[0],
        source=name.split("/")[1],
        problem={"code": "sample-corrupt", "detail": "Cut off."} if is_broken else None,
    )


class TestRunGroups:
    def test_members_in_their_order(self, api: Api) -> None:
        ids = [api.register()["id"] for _ in range(3)]
        wanted = [ids[2], ids[0], ids[1]]
        created = api.client.post("/v1/run-groups", json={"name": "runs", "model_ids": wanted})
        assert created.status_code == 201
        group = created.json()
        assert created.headers["location"] == f"/v1/run-groups/{group['id']}"
        assert group["model_ids"] == wanted
        assert api.client.get(f"/v1/run-groups/{group['id']}").json() == group
        assert pages(api.client, "/v1/run-groups", limit=1)[0] == group
        assert api.client.delete(f"/v1/run-groups/{group['id']}").status_code == 204
        check_problem(api.client.get(f"/v1/run-groups/{group['id']}"), 404, "not-found")

    def test_two_distinct_known_models(self, api: Api) -> None:
        known, unknown = api.register()["id"], str(uuid4())
        for model_ids in ([], [known], [known, known], ["x", known], known):
            answer = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": model_ids})
            check_problem(answer, 422, "validation-error")
        answer = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": [known, unknown]})
        detail = check_problem(answer, 422, "unknown-models")
        assert unknown in detail
        assert known not in detail


class TestLiveAudits:
    def test_they_are_named(self, api: Api) -> None:
        models = [api.register() for _ in range(2)]
        dataset = api.register("datasets")
        body = {"name": "g", "model_ids": [model["id"] for model in models]}
        group = api.client.post("/v1/run-groups", json=body).json()
        audits = [refer_to(api, dataset, models[0]) for _ in range(3)]
        with transaction(api.engine) as session:
            chosen = update(AuditRow).where(AuditRow.id.in_(audits))
            session.execute(chosen.values(run_group_id=UUID(group["id"])))
            session.execute(chosen.where(AuditRow.id == audits[0]).values(status=AuditStatus.RUNNING))
            session.execute(chosen.where(AuditRow.id == audits[2]).values(status=AuditStatus.SUCCEEDED))
        paths = {
            "model-in-use": f"/v1/models/{models[0]['id']}",
            "dataset-in-use": f"/v1/datasets/{dataset['id']}",
            "run-group-in-use": f"/v1/run-groups/{group['id']}",
        }
        for code, path in paths.items():
            answer = api.client.delete(path)
            detail = check_problem(answer, 409, code)
            named = {problem["loc"][1]: problem["msg"] for problem in answer.json()["errors"]}
            assert named == {str(audits[0]): "running", str(audits[1]): "queued"}
            assert all(name in detail for name in named)
            assert api.client.get(path).status_code == 200
        with transaction(api.engine) as session:
            session.execute(update(AuditRow).where(AuditRow.id.in_(audits)).values(status=AuditStatus.CANCELLED))
        assert api.client.delete(paths["run-group-in-use"]).status_code == 204
        answer = api.client.delete(paths["model-in-use"])
        assert len(answer.json()["errors"]) == 3


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "TRACE"])
def test_other_methods(api: Api, method: str) -> None:
    answer = api.client.request(method, "/v1/run-groups")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    check_problem(answer, 405, "method-not-allowed")


def test_a_request_id_is_taken_over_where_it_is_sane(api: Api) -> None:
    assert api.client.get("/livez", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    for insane in ("x" * 65, "a b", 'a"b'):
        assert api.client.get("/livez", headers={"X-Request-ID": insane}).headers["x-request-id"] != insane


def test_openapi_describes_every_answer(api: Api) -> None:
    from openapi_spec_validator import validate

    document = api.client.get("/openapi.json").json()
    validate(document)
    json.dumps(document, allow_nan=False)
    assert "HTTPValidationError" not in document["components"]["schemas"]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["tags"], path
            errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert all(list(answer["content"]) == ["application/problem+json"] for answer in errors.values()), path
