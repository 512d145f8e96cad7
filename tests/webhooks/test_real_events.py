"""What the running service tells: audits, gates, models and data sets, as its own worker ends them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from prepare import build_archive

from app.domain.events import EventType
from tests.api.running_api import EMPTY_ZIP
from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.waiting import RECIPE, until, upload, upload_run
from tests.webhooks.receiver import Receiver, receiving

Json = dict[str, Any]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def webhook(service: httpx.Client, receiver: Receiver) -> Iterator[Json]:
    answer = service.post("/v1/webhooks", json={"url": receiver.url, "events": [str(kind) for kind in EventType]})
    assert answer.status_code == 201, answer.text
    yield answer.json()
    service.delete(f"/v1/webhooks/{answer.json()['id']}")


def about(receiver: Receiver, secret: str, subject: str, *types: str) -> list[Json]:
    """The data of those events of one subject, once all are there; each in its order."""

    def found() -> list[Json]:
        bodies = [one.verified(secret) for one in list(receiver.received)]
        return [body for body in bodies if subject in body["data"].values()]

    until(lambda: len(found()) >= len(types))
    assert [body["type"] for body in found()] == list(types)
    return [body["data"] for body in found()]


def test_an_audit_and_then_its_gate(
    service: httpx.Client, webhook: Json, receiver: Receiver, judge: Callable[..., Json]
) -> None:
    verdict = judge("entropy.spatial.mean <= 0.01")
    audit, gate = about(receiver, webhook["secret"], verdict["audit_id"], "audit.succeeded", "gate.failed")
    results = service.get(f"/v1/audits/{verdict['audit_id']}/results").json()
    total = {(row["measure"], row["view"]): row for row in results["across_models"] if row["group"] == "macro"}
    assert audit["headline"]["entropy"] == total["entropy", "spatial"]["mean"]
    assert audit["verdict"] == gate["verdict"] == verdict["verdict"] == "failed"
    assert gate["not_passed"][0]["condition"] == "entropy.spatial.mean <= 0.01"
    assert gate["not_passed"][0]["value"] == pytest.approx(audit["headline"]["entropy"])
    assert service.get(audit["links"]["audit"]).json()["verdict"] == "failed"


def test_a_model_and_a_data_set_that_are_rejected(service: httpx.Client, webhook: Json, receiver: Receiver) -> None:
    model = upload(service, "models", RECIPE | {"name": "told"}, b"no weights")
    (said,) = about(receiver, webhook["secret"], model["id"], "model.rejected")
    assert (said["problem"]["code"], said["version"]) == (model["problem"]["code"], model["version"])
    dataset = upload(service, "datasets", {"name": "told"}, EMPTY_ZIP)
    (said,) = about(receiver, webhook["secret"], dataset["id"], "dataset.rejected")
    assert said["problem"]["code"] == dataset["problem"]["code"]


def test_what_is_ready(service: httpx.Client, webhook: Json, receiver: Receiver) -> None:
    dataset = upload(service, "datasets", {"name": "told faces"}, build_archive())
    (said,) = about(receiver, webhook["secret"], dataset["id"], "dataset.ready")
    assert (said["digest"], said["sample_count"]) == (dataset["digest"], dataset["sample_count"])
    model = upload_run(service, "cross_entropy_run1")
    (said,) = about(receiver, webhook["secret"], model["id"], "model.ready")
    assert said["problem"] is None
    asked = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": ENTROPY_ONLY}
    audit = service.post("/v1/audits", json=asked).json()
    service.post(f"/v1/audits/{audit['id']}/cancel")
    about(receiver, webhook["secret"], audit["id"], "audit.cancelled")
