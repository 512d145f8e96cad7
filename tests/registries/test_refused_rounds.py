"""What a registry does not say, proofs that prove nothing and addresses that are not allowed: told, and nothing is
stored.
"""

from typing import Any

import httpx
import pytest

from tests.registries.making import create
from tests.registries.recorded_answers import DESCRIPTION
from tests.registries.recorded_mlflow import RecordedMlflow
from tests.registries.signing import created, send
from tests.waiting import wait_for

Json = dict[str, Any]


def test_description_that_is_missing(service: httpx.Client, mlflow: RecordedMlflow, connection: Json) -> None:
    mlflow.register("plain", described=False)
    source = {"connection_id": connection["id"], "uri": "models:/plain/1"}
    made = create(service, "models", name="plain", class_names=DESCRIPTION["class_names"], source=source)
    path = f"/v1/models/{made['id']}"
    model = wait_for(service, path, "needs_description", "rejected")
    assert (model["status"], model["missing"]) == ("needs_description", ["architecture", "preprocessing"])
    for field, missing in (("architecture", ["preprocessing"]), ("preprocessing", [])):
        patched = service.patch(path, json={field: DESCRIPTION[field]})
        assert patched.json()["missing"] == missing, patched.text
    model = wait_for(service, path, "ready", "rejected")
    assert model["status"] == "ready", model["problem"]
    assert {name: model["description"][name]["from"] for name in ("architecture", "class_names", "format")} == {
        "architecture": "request",
        "class_names": "request",
        "format": "artifact",
    }
    late = service.patch(path, json={"architecture": "resnet18"})
    assert (late.status_code, late.json()["code"]) == (409, "model-already-described")


def test_unknown_version_and_alias(service: httpx.Client, mlflow: RecordedMlflow, connection: Json) -> None:
    for uri in ("models:/nothing/1", "models:/plain@champion"):
        made = create(service, "models", name="x", source={"connection_id": connection["id"], "uri": uri})
        model = wait_for(service, f"/v1/models/{made['id']}", "rejected")
        assert model["problem"]["code"] == "registry-not-found"


@pytest.mark.parametrize("proof", [{"secret": "another secret of sixteen"}, {"age": 3600}, {"key": "x" * 300}])
def test_without_proof_nothing_is_stored(service: httpx.Client, hook: Json, proof: Json) -> None:
    before = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    assert send(service, hook["id"], created("faces", "9"), **proof).status_code == 401
    path = f"/v1/hooks/{hook['id']}/deliveries"
    assert httpx.post(service.base_url.join(path), json={"entity": "model_version"}).status_code == 401
    assert httpx.get(service.base_url.join(path)).status_code == 401
    assert service.get(path).json()["items"] == before


@pytest.mark.parametrize("url", ["http://10.0.0.1", "http://169.254.169.254/", "http://2130706433/", "ftp://a.example"])
def test_addresses_that_are_refused(service: httpx.Client, url: str) -> None:
    answer = service.post("/v1/connections", json={"name": "m", "kind": "mlflow", "url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "address-not-allowed")
