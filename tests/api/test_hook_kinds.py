"""Hooks with a mapping, at a real API: proof, the handshake of CloudEvents, and what the list says became of events."""

import hashlib
import hmac
import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from app.access.quotas import used_bytes
from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT, HookDeliveryRow, HookRow, PolicyRow, PolicyRunRow
from app.embedded.ports import free_port
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from tests.api.running_api import Api, check_problem
from tests.waiting import until
from tests.webhooks.receiver import receiving

Json = dict[str, Any]
SECRET = "a secret of sixteen"
EVENT = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/registry",
    "type": "model.registered",
    "data": {"name": "faces", "version": 7},
}


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    limits = {"MAX_TENANT_HOOKS": "1", "MAX_TENANT_CONNECTIONS": "3", "MAX_TENANT_POLICIES": "2"}
    limits["MAX_HOOK_DELIVERIES"] = "20"
    quick = {"REGISTRY_SECONDS": "1", "WEBHOOK_SECONDS": "0.1", "ALLOWED_NETWORKS": "127.0.0.1/32"}
    return start_api(broker_url, ENCRYPTION_KEYS=Fernet.generate_key().decode(), **limits, **quick)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Child]]:
    """That tests stop and kill, and its address."""
    folder = tmp_path_factory.mktemp("broker")
    server = EmbeddedValkey(folder)
    child = Child(server.child(folder / "log"))
    child.wait_ready()
    yield server.url, child
    child.kill()


@pytest.fixture(scope="module")
def lonely_api(start_api: Callable[..., Api], broker: tuple[str, Child]) -> Api:
    """Without a worker, a registry and, soon, a broker; five requests a window of each hook."""
    limits = {"RATE_LIMIT_HOOK": "5", "RATE_WINDOW_SECONDS": "600", "ALLOWED_NETWORKS": "127.0.0.1/32"}
    keys = Fernet.generate_key().decode()
    return start_api(broker[0], ENCRYPTION_KEYS=keys, REGISTRY_SECONDS="3600", **limits)


@pytest.fixture(scope="module")
def hook(api: Api) -> Json:
    return make_hook(api)


def make_hook(api: Api) -> Json:
    asked = {"name": "ours", "kind": "mlflow", "url": "https://mlflow.example.com", "auth": {"token": "t" * 20}}
    connection = api.client.post("/v1/connections", json=asked)
    assert connection.status_code == 201, connection.text
    mapping = {"name": "/data/name", "version": "/data/version", "only": {"/type": "model.registered"}}
    mapping |= {"alias": "/data/alias", "tags": "/data/tags"}
    wanted = {"name": "events", "kind": "cloudevents", "secret": SECRET, "mapping": mapping}
    answer = api.client.post("/v1/hooks", json=wanted | {"connection_id": connection.json()["id"]})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    assert made["mapping"]["proof"] == "hmac"
    return made


def change_hooks(api: Api, **values: Any) -> None:
    """As if the time had passed."""
    with transaction(api.engine) as session:
        session.execute(update(HookRow).values(**values))


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    digest = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return {"Content-Type": "application/cloudevents+json", "X-Signature-256": f"sha256={digest}", "Authorization": ""}


def test_an_event_is_kept_once_and_told_of(api: Api, hook: Json) -> None:
    path, body = f"/v1/hooks/{hook['id']}/deliveries", json.dumps(EVENT).encode()
    answers = [api.client.post(path, content=body, headers=signed(body)) for _ in range(10)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["delivery_id"] for answer in answers}) == 1
    other = json.dumps(EVENT | {"id": "e2", "type": "model.deleted"}).encode()
    assert api.client.post(path, content=other, headers=signed(other)).status_code == 202
    unsigned = [signed(body, "another secret of ours"), signed(other), signed(body) | {"X-Signature-256": ""}]
    for headers in unsigned:
        check_problem(api.client.post(path, content=body, headers=headers), 401, "unauthenticated")

    def ended() -> list[Json]:
        items: list[Json] = api.client.get(path).json()["items"]
        return [] if any(item["outcome"] == "pending" for item in items) else items

    told = {item["event"]: (item["outcome"], item["reason"]) for item in until(ended)}
    assert told == {
        "model.registered": ("ignored", "No policy follows this connection."),
        "model.deleted": ("ignored", "At /type it has no model.registered."),
    }


def test_headers_with_control_characters(api: Api, hook: Json) -> None:
    """CloudEvents percent-encodes what headers cannot hold: an authentic event is answered 202 all the same."""
    path, body = f"/v1/hooks/{hook['id']}/deliveries", json.dumps(EVENT["data"]).encode()
    named = {"ce-specversion": "1.0", "ce-id": "e%00", "ce-source": "/r%00", "ce-type": "t%00", "ce-subject": "a%00b"}
    headers = signed(body) | named | {"Content-Type": "application/json"}
    answer = api.client.post(path, content=body, headers=headers)
    assert answer.status_code == 202, answer.text

    def told() -> Json | None:
        items: list[Json] = api.client.get(path).json()["items"]
        found = next(item for item in items if item["id"] == answer.json()["delivery_id"])
        return None if found["outcome"] == "pending" else found

    assert (until(told)["event"], until(told)["outcome"]) == ("unknown", "ignored")


def test_deliveries_without_proof_are_told_once_a_day(api: Api, hook: Json) -> None:
    """However many they are, and whether or not a good one comes between them."""
    path, body = f"/v1/hooks/{hook['id']}", json.dumps(EVENT | {"id": "e9"}).encode()

    def send(secret: str) -> Any:
        return api.client.post(f"{path}/deliveries", content=body, headers=signed(body, secret)).status_code

    def refused_since() -> Any:
        return api.client.get(path).json()["refused_since"]

    change_hooks(api, refused_since=None, refusals_told_at=None)
    with receiving() as receiver:
        listening = api.client.post("/v1/webhooks", json={"url": receiver.url, "events": ["hook.failing"]}).json()
        assert send(SECRET) == 202
        assert refused_since() is None
        assert [send("another secret of ours") for _ in range(3)] == [401] * 3
        assert refused_since() is not None
        assert send(SECRET) == 202
        assert refused_since() is None
        assert send("another secret of ours") == 401
        assert refused_since() is not None
        change_hooks(api, refusals_told_at=HookRow.refusals_told_at - timedelta(hours=25))
        assert send("another secret of ours") == 401
        until(lambda: len(receiver.received) >= 2)
        log = api.client.get(f"/v1/webhooks/{listening['id']}/deliveries").json()["items"]
        assert [one["event"] for one in log] == ["hook.failing"] * 2
    (told, _) = [one.document()["data"] for one in receiver.received]
    assert (told["hook_id"], told["policy_id"], told["model"]) == (hook["id"], None, None)
    assert told["problem"]["code"] == "deliveries-refused"
    api.client.delete(f"/v1/webhooks/{listening['id']}")


def test_a_hook_keeps_so_many(api: Api, hook: Json) -> None:
    """The oldest go first, once somebody has looked at them; more than that which nobody has is refused."""
    path = f"/v1/hooks/{hook['id']}/deliveries"
    bodies = [json.dumps(EVENT | {"id": f"many {number}"}).encode() for number in range(45)]
    answers = iter(bodies)

    def send() -> int:
        body = next(answers)
        return api.client.post(path, content=body, headers=signed(body)).status_code

    def kept() -> list[Json]:
        items: list[Json] = api.client.get(path, params={"limit": 100}).json()["items"]
        return items

    assert 202 in {send() for _ in range(40)} <= {202, 429}
    until(lambda: all(item["outcome"] != "pending" for item in kept()))
    assert {send() for _ in range(5)} == {202}
    assert 18 <= len(kept()) <= 20
    with transaction(api.engine) as session:
        ids = {json.loads(body)["id"] for body in session.scalars(select(HookDeliveryRow.body))}
    assert ("many 44" in ids, "many 0" in ids) == (True, False)


def test_a_delivery_may_be_so_large(api: Api, hook: Json) -> None:
    """Room for the largest that a registry documents, and not for the largest JSON of a request."""
    path = f"/v1/hooks/{hook['id']}/deliveries"
    sizes = {}
    for size in (250_000, 270_000):
        body = json.dumps(EVENT | {"id": f"large {size}", "data": {"text": "x" * size}}).encode()
        sizes[size] = api.client.post(path, content=body, headers=signed(body)).status_code
    assert sizes == {250_000: 202, 270_000: 413}
    with transaction(TenantEngine(api.engine, DEFAULT_TENANT)) as session:
        assert used_bytes(session) > 250_000


def test_a_secret_rotates(api: Api, hook: Json) -> None:
    """The fixture's own stays good for the grace, and then no longer."""
    path = f"/v1/hooks/{hook['id']}"
    body = json.dumps(EVENT | {"id": "e3"}).encode()
    codes = {}
    for grace in (3600, 0):
        rotated = api.client.post(f"{path}/rotate", json={"grace_seconds": grace}).json()
        assert rotated["previous_secret_until"] is not None
        headers = [signed(body, SECRET), signed(body, rotated["secret"])]
        answers = [api.client.post(f"{path}/deliveries", content=body, headers=one) for one in headers]
        codes[grace] = [answer.status_code for answer in answers]
    assert codes == {3600: [202, 202], 0: [401, 202]}
    assert "secret" not in api.client.get(path).json()


def test_the_handshake_of_cloud_events(api: Api, hook: Json) -> None:
    asked = {"WebHook-Request-Origin": "eventgrid.azure.net", "Authorization": ""}
    for hook_id in (hook["id"], "01a20000-0000-7000-8000-000000000000"):
        answer = api.client.options(f"/v1/hooks/{hook_id}/deliveries", headers=asked)
        assert answer.status_code == 200, answer.text
        assert answer.headers["webhook-allowed-origin"] == "eventgrid.azure.net"
        assert answer.headers["webhook-allowed-rate"] == "1200"
        assert answer.headers["allow"] == "POST"


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
    answers = [api.client.post("/v1/connections", json=asked) for _ in range(3)]
    check_problem(answers[-1], 409, "quota-exceeded")
    again = {"name": "n", "kind": "mlflow", "connection_id": hook["connection_id"]}
    check_problem(api.client.post("/v1/hooks", json=again), 409, "quota-exceeded")


@pytest.mark.parametrize("broker_is", ["stopped, and answers nobody", "killed"])
def test_nobody_else_is_there_and_a_flood(lonely_api: Api, broker: tuple[str, Child], broker_is: str) -> None:
    """A delivery is kept within a second, and one that is no JSON refused; the sixth of a hook is too many."""
    hook = make_hook(lonely_api)
    os.kill(broker[1].pid, signal.SIGKILL if broker_is == "killed" else signal.SIGSTOP)
    path = f"/v1/hooks/{hook['id']}/deliveries"
    bodies = [json.dumps(EVENT | {"id": f"flood {number}"}).encode() for number in range(4)]
    bodies.insert(1, b"[" * 1_000_000)
    answers, beside = [], []
    for body in [*bodies, bodies[0], bodies[0]]:
        answers.append(lonely_api.client.post(path, content=body, headers=signed(body)))
        beside.append(lonely_api.client.get("/livez", headers={"Authorization": ""}))
    assert [answer.status_code for answer in answers] == [202, 400, 202, 202, 202, 202, 429]
    slowest, busy = (max(answer.elapsed.total_seconds() for answer in some) for some in (answers, beside))
    # A machine that is busy with other tests slows what waits for nobody as well.
    assert slowest < 1 + busy, f"the slowest of {len(answers)} took {slowest:.2f} s, beside {busy:.2f} s"
    with transaction(lonely_api.engine) as session:
        of_hook = select(HookDeliveryRow).where(HookDeliveryRow.hook_id == UUID(hook["id"]))
        assert len(session.scalars(of_hook).all()) == 4


def test_only_what_proves_itself_counts_for_the_tenant(start_api: Callable[..., Api]) -> None:
    """Of its five requests two make the hook; whoever knows the hook's address uses none of the others up."""
    limits = {"RATE_LIMIT_TENANT": "5", "RATE_WINDOW_SECONDS": "600"}
    nobody = f"redis://127.0.0.1:{free_port()}/0"  # a broker that others use counts their requests too
    limited = start_api(nobody, ENCRYPTION_KEYS=Fernet.generate_key().decode(), **limits)
    path = f"/v1/hooks/{make_hook(limited)['id']}/deliveries"
    codes = []
    for number in range(4):
        body = json.dumps(EVENT | {"id": f"one {number}"}).encode()
        both = [signed(body, "another secret of ours"), signed(body)]
        codes.append([limited.client.post(path, content=body, headers=headers).status_code for headers in both])
    assert codes == [[401, 202]] * 3 + [[401, 429]]
