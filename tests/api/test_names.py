"""Names have versions, aliases, tags and words; lists find by them; deleting takes along what it is asked to."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.db.session import transaction
from app.db.tables import AuditModelRow, AuditRow, ModelRow
from app.domain.vocabulary import AuditStatus, ResourceStatus
from tests.api.audit_rows import add_audit
from tests.api.running_api import Api, check_problem
from tests.waiting import RECIPE

Json = dict[str, Any]

GATE = {"conditions": ["entropy.spatial.mean <= 0.9"]}
NEW: dict[str, Json] = {"models": RECIPE, "datasets": {}, "gates": GATE}


def make(api: Api, collection: str, **fields: Any) -> Json:
    answer = api.client.post(f"/v1/{collection}", json=NEW[collection] | fields)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def listed(api: Api, collection: str, **wanted: Any) -> list[str]:
    answer = api.client.get(f"/v1/{collection}", params=wanted)
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


@pytest.mark.parametrize("collection", NEW)
class TestVersions:
    def test_made_again_it_is_the_next(self, api: Api, collection: str) -> None:
        name = uuid4().hex
        made = [make(api, collection, name=name) for _ in range(3)]
        assert [one["version"] for one in made] == ["1", "2", "3"]
        assert listed(api, collection, name=name) == [one["id"] for one in made[::-1]]
        assert listed(api, collection, name=name, version="2") == [made[1]["id"]]
        api.client.delete(f"/v1/{collection}/{made[2]['id']}")
        assert make(api, collection, name=name)["version"] == "3"

    def test_an_alias_names_one_of_them(self, api: Api, collection: str) -> None:
        name = uuid4().hex
        first, second = (make(api, collection, name=name)["id"] for _ in range(2))
        for chosen in (first, second):
            answer = api.client.patch(f"/v1/{collection}/{chosen}", json={"aliases": ["champion"]})
            assert answer.json()["aliases"] == ["champion"]
            assert listed(api, collection, name=name, alias="champion") == [chosen]

    def test_words_change_and_nothing_else(self, api: Api, collection: str) -> None:
        name, other = uuid4().hex, uuid4().hex
        make(api, collection, name=other)
        made = make(api, collection, name=name, metadata={"a": 1}, tags=["x", "x", "y"])
        assert made["tags"] == ["x", "y"]
        path = f"/v1/{collection}/{made['id']}"
        answer = api.client.patch(path, json={"description": "In words.", "tags": ["z"]})
        assert answer.status_code == 200, answer.text
        words = "about" if collection == "models" else "description"
        changed = {words: "In words.", "tags": ["z"]}
        assert _without(answer.json(), "updated_at") == _without(made, "updated_at") | changed
        renamed = api.client.patch(path, json={"name": other, "description": None}).json()
        assert (renamed["name"], renamed["version"], renamed[words]) == (other, "2", None)
        assert listed(api, collection, tag="z", name=other) == [made["id"]]
        assert listed(api, collection, tag="x", name=other) == []

    @pytest.mark.parametrize(
        "wrong",
        [{}, {"name": None}, {"name": ""}, {"tags": None}, {"aliases": ["3"]}, {"status": "ready"}, {"tags": [""]}],
    )
    def test_what_cannot_be_said(self, api: Api, collection: str, wrong: Json) -> None:
        path = f"/v1/{collection}/{make(api, collection, name='n')['id']}"
        check_problem(api.client.patch(path, json=wrong), 422, "validation-error")


def _without(resource: Json, field: str) -> Json:
    return {name: value for name, value in resource.items() if name != field}


def test_lists_are_cut_by_time(api: Api) -> None:
    name = uuid4().hex
    first, second = (make(api, "gates", name=name) for _ in range(2))
    after, before = {"created_after": second["created_at"]}, {"created_before": second["created_at"]}
    assert listed(api, "gates", name=name, **after) == [second["id"]]
    assert listed(api, "gates", name=name, **before) == [first["id"]]
    check_problem(api.client.get("/v1/gates?created_after=yesterday"), 422, "validation-error")


def test_lists_of_models_leave_the_layers_out(api: Api) -> None:
    model = make(api, "models", name=uuid4().hex)
    layers = [{"name": "conv5", "channels": 8, "height": 7, "width": 7}]
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe={"candidate_layers": layers})
    assert api.client.get(f"/v1/models/{model['id']}").json()["candidate_layers"]
    [shown] = api.client.get("/v1/models", params={"name": model["name"]}).json()["items"]
    assert shown["candidate_layers"] is None


class TestCascade:
    @pytest.fixture
    def audit(self, api: Api) -> Json:
        audit_id = add_audit(api.engine, shards=1)
        model_id = UUID(make(api, "models", name=uuid4().hex)["id"])
        with transaction(api.engine) as session:
            session.add(AuditModelRow(audit_id=audit_id, ordinal=0, model_id=model_id))
        found: Json = api.client.get(f"/v1/audits/{audit_id}").json()
        return found

    def end(self, api: Api, audit: Json) -> None:
        with transaction(api.engine) as session:
            ended = update(AuditRow).where(AuditRow.id == UUID(audit["id"])).values(status=AuditStatus.SUCCEEDED)
            session.execute(ended)

    @pytest.mark.parametrize(("collection", "field"), [("models", "model_ids"), ("datasets", "dataset_id")])
    def test_what_has_ended_goes_along(self, api: Api, audit: Json, collection: str, field: str) -> None:
        chosen = audit[field] if isinstance(audit[field], str) else audit[field][0]
        path = f"/v1/{collection}/{chosen}"
        code = "model-in-use" if collection == "models" else "dataset-in-use"
        check_problem(api.client.delete(path, params={"cascade": True}), 409, code)
        self.end(api, audit)
        check_problem(api.client.delete(path), 409, code)
        assert api.client.delete(path, params={"cascade": True}).status_code == 204
        check_problem(api.client.get(path), 404, "not-found")
        check_problem(api.client.get(f"/v1/audits/{audit['id']}"), 404, "not-found")

    def test_run_groups_go_along(self, api: Api) -> None:
        models = [make(api, "models", name=uuid4().hex)["id"] for _ in range(2)]
        group = api.client.post("/v1/run-groups", json={"name": "g", "model_ids": models}).json()["id"]
        assert api.client.delete(f"/v1/models/{models[0]}", params={"cascade": True}).status_code == 204
        check_problem(api.client.get(f"/v1/run-groups/{group}"), 404, "not-found")
        assert api.client.get(f"/v1/models/{models[1]}").status_code == 200


def test_audits_have_words_too(api: Api) -> None:
    audit_id = str(add_audit(api.engine, shards=1))
    said = {"name": uuid4().hex, "description": "Why.", "tags": ["release"], "metadata": {"ticket": 7}}
    changed = api.client.patch(f"/v1/audits/{audit_id}", json=said).json()
    assert said.items() <= changed.items()
    assert listed(api, "audits", name=said["name"], tag="release", status="queued") == [audit_id]
    assert listed(api, "audits", name=said["name"], verdict="passed") == []
    assert api.client.patch(f"/v1/audits/{audit_id}", json={"name": None}).json()["name"] is None
