"""Hooks with a mapping, at a real API: proof, the handshake of CloudEvents, and what the list says became of events."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from app.access.quotas import used_bytes
from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT, HookDeliveryRow, HookRow
from tests.api.hook_events import EVENT, SECRET, make_hook, signed
from tests.api.running_api import Api, check_problem
from tests.waiting import until
from tests.webhooks.receiver import receiving

Json = dict[str, Any]


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    limits = {"MAX_HOOK_DELIVERIES": "20"}
    quick = {"REGISTRY_SECONDS": "1", "WEBHOOK_SECONDS": "0.1", "ALLOWED_NETWORKS": "127.0.0.1/32"}
    return start_api(broker_url, ENCRYPTION_KEYS=Fernet.generate_key().decode(), **limits, **quick)


@pytest.fixture(scope="module")
def hook(api: Api) -> Json:
    return make_hook(api)


def change_hooks(api: Api, **values: Any) -> None:
    """As if the time had passed."""
    with transaction(api.engine) as session:
        session.execute(update(HookRow).values(**values))


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


def test_parameters_that_registries_append(api: Api, hook: Json) -> None:
    """Whatever they add to the address: proof alone decides, and a secret in the query is none."""
    path, body = f"/v1/hooks/{hook['id']}/deliveries", json.dumps(EVENT).encode()
    query = {"api-version": "2018-05-05", "secret": SECRET}
    answer = api.client.post(path, content=body, headers=signed(body), params=query)
    assert answer.status_code == 202, answer.text
    unsigned = api.client.post(path, content=body, headers=signed(body, "another secret of ours"), params=query)
    check_problem(unsigned, 401, "unauthenticated")
    shaken = api.client.options(path, headers={"WebHook-Request-Origin": "eventgrid.azure.net"}, params=query)
    assert shaken.status_code == 200, shaken.text
    check_problem(api.client.get(path, params={"api-version": "2018-05-05"}), 422, "validation-error")


def test_a_hook_whose_connection_is_left_out(api: Api, hook: Json) -> None:
    """Mapped events need none; others are of the only connection of their kind, or the refusal names what there is."""
    mapped = api.client.post("/v1/hooks", json={"name": "n", "kind": "generic", "mapping": hook["mapping"]})
    assert (mapped.status_code, mapped.json()["connection_id"]) == (201, None)
    asked = {"name": "n", "kind": "mlflow"}
    only = api.client.post("/v1/hooks", json=asked)
    assert (only.status_code, only.json()["connection_id"]) == (201, hook["connection_id"])
    for made in (mapped, only):
        assert api.client.get(made.headers["Location"]).json()["connection_id"] == made.json()["connection_id"]
        assert api.client.delete(made.headers["Location"]).status_code == 204
    none = api.client.post("/v1/hooks", json=asked | {"kind": "huggingface"})
    assert "make one by POST /v1/connections" in check_problem(none, 422, "validation-error")
    second = api.client.post("/v1/connections", json=asked | {"url": "https://b.example"}).json()
    several = check_problem(api.client.post("/v1/hooks", json=asked), 422, "validation-error")
    assert all(one in several for one in (hook["connection_id"], second["id"]))
    assert api.client.delete(f"/v1/connections/{second['id']}").status_code == 204


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
