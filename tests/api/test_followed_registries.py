"""Connections, hooks and policies at a real API: what is refused, tried and changed, and how many there may be."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from app.db.session import transaction
from app.db.tables import PolicyRow, PolicyRunRow
from tests.api.hook_events import EVENT, make_hook, signed
from tests.api.running_api import Api, check_problem
from tests.waiting import until

Json = dict[str, Any]


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    limits = {"MAX_TENANT_HOOKS": "1", "MAX_TENANT_CONNECTIONS": "5", "MAX_TENANT_POLICIES": "2"}
    quick = {"REGISTRY_SECONDS": "1", "WEBHOOK_SECONDS": "0.1", "ALLOWED_NETWORKS": "127.0.0.1/32"}
    return start_api(broker_url, ENCRYPTION_KEYS=Fernet.generate_key().decode(), **limits, **quick)


@pytest.fixture(scope="module")
def hook(api: Api) -> Json:
    return make_hook(api)


@pytest.mark.parametrize(
    ("kind", "auth"),
    [
        ("mlflow", {"token": "t\N{LATIN SMALL LETTER O WITH DIAERESIS}k"}),
        ("mlflow", {"token": "two words"}),
        ("mlflow", {"token": "a line\n"}),
        ("oci", {"username": "a:b", "password": "p"}),
        ("oci", {"username": "a", "password": "p\r\nq"}),
        ("s3", {"username": "AK\N{LATIN SMALL LETTER O WITH DIAERESIS}", "password": "p"}),
        ("s3", {"region": "fr-par"}),
        ("mlflow", {"username": "a", "password": "p", "region": "fr-par"}),
    ],
)
def test_a_secret_that_no_registry_can_be_shown(api: Api, hook: Json, kind: str, auth: Json) -> None:
    asked = {"name": "n", "kind": kind, "url": "https://registry.example.com", "auth": auth}
    answers = [api.client.post("/v1/connections", json=asked)]
    if kind == "mlflow":
        answers.append(api.client.patch(f"/v1/connections/{hook['connection_id']}", json={"auth": auth}))
    for answer in answers:
        check_problem(answer, 422, "validation-error")
        (fault,) = answer.json()["errors"]
        assert fault["loc"][:2] == ["body", "auth"]
        assert not any(secret in answer.text for secret in auth.values() if len(secret) > 2)


def test_a_mapping_belongs_to_the_kind(api: Api, hook: Json) -> None:
    asked = {"name": "n", "connection_id": hook["connection_id"]}
    for wrong in ({"kind": "generic"}, {"kind": "mlflow", "mapping": {"name": "/a", "version": "/b"}}):
        check_problem(api.client.post("/v1/hooks", json=asked | wrong), 422, "validation-error")


def test_what_has_no_versions_is_followed_by_nothing(api: Api, hook: Json) -> None:
    asked = {"name": "files", "kind": "http", "url": "https://files.example.com"}
    connection = api.client.post("/v1/connections", json=asked)
    assert connection.status_code == 201, connection.text
    place = {"connection_id": connection.json()["id"]}
    mapping = {"name": "/data/name", "version": "/data/version"}
    policy = {"name": "p", "match": {"model": "*"}, "dataset_id": hook["id"], "protocol": {"measures": {"entropy": {}}}}
    for path, body in (
        ("/v1/hooks", {"name": "h", "kind": "generic", "mapping": mapping}),
        ("/v1/policies", policy),
    ):
        answer = api.client.post(path, json=body | place)
        check_problem(answer, 422, "validation-error")
        assert "this connection is of http" in answer.json()["detail"]


@pytest.fixture
def policy(api: Api, hook: Json) -> Iterator[Json]:
    """One that follows nothing that arrives."""
    dataset = api.client.post("/v1/datasets", json={"name": "d"}).json()["id"]
    asked = {"name": "p", "connection_id": hook["connection_id"], "dataset_id": dataset, "match": {"model": "other"}}
    made = api.client.post("/v1/policies", json=asked | {"sample_limit": 9, "schedule": "0 3 * * 1"})
    assert made.status_code == 201, made.text
    yield made.json()
    api.client.delete(f"/v1/policies/{made.json()['id']}")


def kept(api: Api, hook: Json, key: str, **changes: Any) -> str:
    """The id of a delivery that was looked at already, so that nothing follows from it later."""
    body = json.dumps(EVENT | {"id": key} | changes).encode()
    path = f"/v1/hooks/{hook['id']}/deliveries"
    secret = api.client.post(f"/v1/hooks/{hook['id']}/rotate").json()["secret"]
    sent: str = api.client.post(path, content=body, headers=signed(body, secret)).json()["delivery_id"]

    def ended() -> bool:
        return all(item["outcome"] != "pending" for item in api.client.get(path).json()["items"] if item["id"] == sent)

    until(ended)
    return sent


def test_a_dry_run_says_why_not(api: Api, hook: Json, policy: Json) -> None:
    """Each reason, while the policy is changed under it; nothing is started."""
    new = kept(api, hook, "dry 1", data={"name": "faces", "version": 7, "tags": {"stage": "draft"}})
    alias = kept(api, hook, "dry 2", data={"name": "faces", "version": 7, "alias": "champion"})
    deleted = kept(api, hook, "dry 3", type="model.deleted")
    path = f"/v1/policies/{policy['id']}"

    def told(delivery: str, **changes: Any) -> tuple[bool, str]:
        if changes:
            assert api.client.patch(path, json=changes).status_code == 200
        dry = api.client.post(f"{path}/test", json={"hook_id": hook["id"], "delivery_id": delivery}).json()
        return dry["matches"], dry["reason"]

    of_aliases = {"model": "faces", "events": ["model_version_alias.created"]}
    assert told(deleted) == (False, "At /type it has no model.registered.")
    assert told(new) == (False, "The model's name is not other.")
    reason = "The event tells of no tag stage that is ready."
    assert told(new, match={"model": "fac*", "tags": {"stage": "ready"}}) == (False, reason)
    assert told(new, match={"model": "fac*", "tags": {"stage": "dr*"}})[0]
    assert told(alias) == (False, "It does not follow model_version_alias.created.")
    assert told(new, match=of_aliases) == (False, "It does not follow model_version.created.")
    assert told(alias, match=of_aliases | {"aliases": ["cand*"]}) == (False, "The alias is none of cand*.")
    moved = told(alias, match=of_aliases, write_back={"alias_on_pass": "champion"})
    assert moved == (False, "The alias is the one that the policy itself moves.")
    matches, reason = told(alias, write_back={"alias_on_pass": "audited"})
    assert (matches, policy["dataset_id"] in reason) == (True, True)
    other = api.client.post("/v1/connections", json={"name": "o", "kind": "mlflow", "url": "https://b.example"}).json()
    with transaction(api.engine) as session:
        session.execute(update(PolicyRow).values(connection_id=UUID(other["id"])))
    assert told(alias) == (False, "The hook is of another connection.")
    with transaction(api.engine) as session:
        assert session.scalars(select(PolicyRunRow)).all() == []
    check_problem(
        api.client.post(f"{path}/test", json={"hook_id": hook["id"], "delivery_id": policy["id"]}), 404, "not-found"
    )


def test_a_policy_is_changed(api: Api, hook: Json, policy: Json) -> None:
    """What is named, and nothing else; what cannot be is refused, and changes nothing."""
    path = f"/v1/policies/{policy['id']}"
    changed = api.client.patch(path, json={"sample_limit": None, "schedule": None, "name": "q"})
    assert changed.status_code == 200, changed.text
    assert changed.json() == policy | {"name": "q", "sample_limit": None, "schedule": None, "recurs_at": None}
    assert api.client.get(path).json() == changed.json()
    nobody = policy["id"]
    for wrong, status in (
        ({}, 422),
        ({"match": None}, 422),
        ({"connection_id": hook["connection_id"]}, 422),
        ({"schedule": "* * * * *"}, 422),
        ({"write_back": {"pull_request": True}}, 422),
        ({"dataset_id": nobody}, 404),
        ({"gate": nobody}, 404),
    ):
        check_problem(api.client.patch(path, json=wrong), status, "not-found" if status == 404 else "validation-error")
    check_problem(api.client.patch(f"/v1/policies/{hook['id']}", json={"name": "r"}), 404, "not-found")
    assert api.client.get(path).json() == changed.json()


def test_what_a_kind_cannot_take_is_no_policy(api: Api, policy: Json) -> None:
    """Told where it is asked for, and not at the end of a run."""
    hub = api.client.post("/v1/connections", json={"name": "hub", "kind": "huggingface", "url": "https://hub.example"})
    asked = {name: policy[name] for name in ("name", "dataset_id", "match")} | {"connection_id": hub.json()["id"]}
    for field, value in (("alias_on_pass", "champion"), ("tags", True), ("run", True)):
        told = check_problem(
            api.client.post("/v1/policies", json=asked | {"write_back": {field: value}}), 422, "validation-error"
        )
        assert "A connection of kind huggingface" in told
        assert "Leave it out" in told
    check_that_an_older_one_is_changed(api, asked)
    assert api.client.delete(f"/v1/connections/{hub.json()['id']}").status_code == 204


def check_that_an_older_one_is_changed(api: Api, asked: Json) -> None:
    """One that asked for tags before that was refused: what is not changed is not judged anew."""
    older = api.client.post("/v1/policies", json=asked).headers["location"]
    with transaction(api.engine) as session:
        row = session.get_one(PolicyRow, UUID(older.rpartition("/")[2]))
        row.definition = row.definition | {"write_back": {"tags": True}}
    assert api.client.patch(older, json={"name": "renamed"}).json()["name"] == "renamed"
    check_problem(api.client.patch(older, json={"write_back": {"tags": True}}), 422, "validation-error")
    assert api.client.delete(older).status_code == 204


def test_so_many_policies(api: Api, policy: Json) -> None:
    asked = {name: policy[name] for name in ("name", "connection_id", "dataset_id", "match")}
    second = api.client.post("/v1/policies", json=asked)
    assert second.status_code == 201, second.text
    assert "2 policies" in check_problem(api.client.post("/v1/policies", json=asked), 409, "quota-exceeded")
    assert len(api.client.get("/v1/policies").json()["items"]) == 2
    assert api.client.delete(f"/v1/policies/{second.json()['id']}").status_code == 204
    assert api.client.get(f"/v1/policies/{second.json()['id']}").status_code == 404


def test_so_many_of_each(api: Api, hook: Json) -> None:
    asked = {"name": "more", "kind": "http", "url": "https://files.example.com"}
    answers = [api.client.post("/v1/connections", json=asked) for _ in range(5)]
    check_problem(answers[-1], 409, "quota-exceeded")
    again = {"name": "n", "kind": "mlflow", "connection_id": hook["connection_id"]}
    check_problem(api.client.post("/v1/hooks", json=again), 409, "quota-exceeded")
