"""From a push to a Hub to an audit: the real service, against a Hub on loopback."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.registries.loopback_hub import COMMIT, LoopbackHub, loopback_hub
from tests.registries.making import create
from tests.registries.test_hub_events import PUSHED
from tests.waiting import RECIPE, WEIGHTS, until

Json = dict[str, Any]
NAME = "ours/faces"
SECRET = "a secret of sixteen"
DESCRIPTION = {name: RECIPE[name] for name in ("architecture", "class_names", "preprocessing")}


@pytest.fixture(scope="module")
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as server:
        weights = (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()
        described = json.dumps(DESCRIPTION).encode()
        server.files[NAME] = {"model.safetensors": weights, "salience.json": described, "README.md": b"# Faces"}
        yield server


@pytest.fixture(scope="module")
def connection(service: httpx.Client, hub: LoopbackHub) -> Json:
    return create(service, "connections", name="hub", kind="huggingface", url=hub.url, auth={"token": "hf_planted"})


def test_a_push_is_audited_once(service: httpx.Client, hub: LoopbackHub, connection: Json, dataset: Json) -> None:
    tried = service.post(f"/v1/connections/{connection['id']}/test").json()
    assert [check["what"] for check in tried["checks"]] == ["the Hub lists models", "the Hub knows the token"]
    assert [check["works"] for check in tried["checks"]] == [True, True]
    hook = create(service, "hooks", name="h", kind="huggingface", connection_id=connection["id"], secret=SECRET)
    asked = {"connection_id": connection["id"], "dataset_id": dataset["id"], "sample_limit": 4}
    how = {
        "protocol": {"micro_batch": 4, "measures": {"entropy": {}}},
        "write_back": {"pull_request": True, "tags": False},
    }
    create(service, "policies", name="hub", match={"model": "ours/*"}, **how, **asked)
    pushed = PUSHED | {"repo": PUSHED["repo"] | {"name": NAME}}
    path = service.base_url.join(f"/v1/hooks/{hook['id']}/deliveries")
    proved = {"X-Webhook-Secret": SECRET, "Webhook-Id": "d1"}
    for wrong in ({"X-Webhook-Secret": f"{SECRET}x"}, {}):
        assert httpx.post(path, json=pushed, headers=wrong).status_code == 401
    assert httpx.post(path, json=pushed, params={"secret": SECRET}).status_code == 401
    for number in ("d1", "d1", "d2"):
        assert httpx.post(path, json=pushed, headers=proved | {"Webhook-Id": number}).status_code == 202
    log = until(lambda: _ended(service, hook))
    assert [one["outcome"] for one in log] == ["audited"] * 2
    (commit,) = hub.commits
    card = base64.b64decode(commit["lines"][1]["value"]["content"]).decode()
    assert "salience.verdict" in card
    assert "salience.entropy" in card
    assert commit["lines"][0]["value"]["summary"] == f"Salience audit of {COMMIT[:8]}: not judged"
    assert log[0]["reason"].startswith(f"Proposed in the pull request {hub.url}")
    assert len({one["audit_id"] for one in log}) == 1
    other = "2" * 40
    hub.refs[other] = other
    readme = pushed | {"updatedRefs": [{"ref": "refs/heads/main", "oldSha": COMMIT, "newSha": other}]}
    assert httpx.post(path, json=readme, headers=proved | {"Webhook-Id": "d3"}).status_code == 202
    again = until(lambda: _ended(service, hook, 3))[0]
    assert (again["outcome"], again["audit_id"]) == ("audited", log[0]["audit_id"])
    assert again["reason"].startswith(f"Weights and description are those of {COMMIT}")
    model = service.get(f"/v1/models/{log[0]['model_id']}").json()
    assert (model["source"]["name"], model["source"]["version"]) == (NAME, COMMIT)
    assert {model["description"][name]["from"] for name in ("class_names", "architecture")} == {"salience.json"}


def test_addresses_belong_to_a_kind(service: httpx.Client, connection: Json) -> None:
    source = {"connection_id": connection["id"], "uri": "models:/faces/1"}
    refused = service.post("/v1/models", json={"name": "m", "source": source})
    assert (refused.status_code, refused.json()["code"]) == (422, "validation-error")
    assert "hf://" in refused.json()["detail"]
    hook = {"name": "h", "kind": "mlflow", "connection_id": connection["id"]}
    assert service.post("/v1/hooks", json=hook).json()["code"] == "validation-error"


def _ended(service: httpx.Client, hook: Json, count: int = 2) -> list[Json] | None:
    log: list[Json] = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    return log if len(log) == count and all(one["outcome"] != "pending" for one in log) else None
