"""What the running service tells: audits, gates, models and data sets, as its own worker ends them."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prepare import build_archive

from app.domain.events import EventType
from tests.api.running_api import EMPTY_ZIP
from tests.commands.guides import ROOT
from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.waiting import RECIPE, until, upload, upload_run, wait_for
from tests.webhooks.receiver import Receiver, receiving

Json = dict[str, Any]
HERE = "tests/webhooks/test_real_events.py"
HEARD_IN = dict.fromkeys(EventType, HERE) | {
    EventType.REGRESSION_FOUND: "tests/history/test_model_history.py",
    EventType.HOOK_FAILING: "tests/registries/test_recorded_round.py",
}
"""Where a receiver of the running service hears each type."""


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
    """Each verdict behind the audit that it is of. An interval holds its own mean, so that a limit there is open."""
    failed = judge("entropy.spatial.mean <= 0.01")
    _, gate = check_judged(service, receiver, webhook, failed, "gate.failed")
    assert gate["not_passed"][0]["condition"] == "entropy.spatial.mean <= 0.01"
    assert gate["not_passed"][0]["says_nothing"] == ["few-samples"]
    assert (gate["says_nothing"], gate["passed_saying_nothing"]) == (["entropy"], [])
    mean = gate["not_passed"][0]["value"]
    audit, gate = check_judged(service, receiver, webhook, judge("entropy.spatial.mean <= 1"), "gate.passed")
    assert (gate["not_passed"], audit["headline"]["entropy"]) == ([], pytest.approx(mean))
    (hollow,) = gate["passed_saying_nothing"]
    assert (hollow["condition"], hollow["outcome"]) == ("entropy.spatial.mean <= 1", "passed")
    open_one = judge(f"entropy.spatial.mean <= {mean} (ci)")
    _, gate = check_judged(service, receiver, webhook, open_one, "gate.inconclusive")
    assert [one["outcome"] for one in gate["not_passed"]] == ["inconclusive"]


def check_judged(
    service: httpx.Client, receiver: Receiver, webhook: Json, verdict: Json, told_as: str
) -> tuple[Json, Json]:
    """What was told of the audit, and then of its gate."""
    audit, gate = about(receiver, webhook["secret"], verdict["audit_id"], "audit.succeeded", told_as)
    results = service.get(f"/v1/audits/{verdict['audit_id']}/results").json()
    total = {(row["measure"], row["view"]): row for row in results["across_models"] if row["group"] == "macro"}
    assert audit["headline"]["entropy"] == total["entropy", "spatial"]["mean"]
    assert (gate["headline"], gate["says_nothing"]) == (audit["headline"], audit["says_nothing"])
    assert audit["verdict"] == gate["verdict"] == verdict["verdict"] == told_as.removeprefix("gate.")
    assert service.get(audit["links"]["audit"]).json()["verdict"] == verdict["verdict"]
    return audit, gate


def test_an_audit_that_fails(
    service: httpx.Client, webhook: Json, receiver: Receiver, models: dict[str, Json], open_folder: Path
) -> None:
    """Since an image is another than the one that was listed."""
    folder = open_folder / "imports" / "told"
    with zipfile.ZipFile(io.BytesIO(build_archive())) as archive:
        archive.extractall(folder, archive.namelist()[:6])
    made = service.post("/v1/datasets", json={"name": "changed", "source": {"uri": f"file://{folder}"}}).json()
    dataset = wait_for(service, f"/v1/datasets/{made['id']}", "ready", "rejected")
    assert dataset["status"] == "ready", dataset["problem"]
    for path in folder.rglob("*.*"):
        path.write_bytes(b"another")
    asked = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]], "protocol": ENTROPY_ONLY}
    started = service.post("/v1/audits", json=asked).json()
    audit = wait_for(service, f"/v1/audits/{started['id']}", "succeeded", "failed")
    (said,) = about(receiver, webhook["secret"], audit["id"], "audit.failed")
    assert said["problem"]["code"] == audit["problem"]["code"] == "artifact-corrupted"
    assert said["status"] == audit["status"] == "failed"


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


@pytest.mark.parametrize(("kind", "path"), HEARD_IN.items())
def test_every_type_has_a_real_sender(kind: EventType, path: str) -> None:
    """A type that is new has a line above, and a test that hears it."""
    assert f'"{kind}"' in (ROOT / path).read_text(encoding="utf-8")
