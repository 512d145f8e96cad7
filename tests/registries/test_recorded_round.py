"""From an event to verdict tags and a moved alias: the real service, against a registry's recorded answers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.registries.conftest import PLANTED
from tests.registries.making import create, ended, outcome_of
from tests.registries.recorded_answers import RUN_ID
from tests.registries.recorded_mlflow import RecordedMlflow
from tests.registries.signing import SECRET, created, delivery, send
from tests.waiting import until
from tests.webhooks.receiver import Receiver, receiving

Json = dict[str, Any]


@pytest.fixture
def receiver(service: httpx.Client) -> Iterator[Receiver]:
    with receiving() as receiver:
        webhook = create(service, "webhooks", url=receiver.url, events=["hook.failing"])
        yield receiver
        service.delete(f"/v1/webhooks/{webhook['id']}")


def test_event_becomes_verdict(
    service: httpx.Client, mlflow: RecordedMlflow, hook: Json, make_policy: Callable[..., Json]
) -> None:
    """Ten times the same, and once more under another id: one audit, one write-back."""
    told = {"alias_on_pass": "audited", "run": True}
    # Of fewer than 20 samples a number says nothing, and is no metric.
    policy = make_policy("faces*", "entropy.spatial.mean <= 1", write_back=told, sample_limit=20)
    mlflow.register("faces")
    answers = [send(service, hook["id"], created("faces"), key="the-same") for _ in range(10)]
    # The fastest, since a busy machine slows any one: whoever told waits for it.
    assert min(answer.elapsed for answer in answers) < timedelta(seconds=1)
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["delivery_id"] for answer in answers}) == 1
    assert send(service, hook["id"], created("faces")).status_code == 202
    tags = until(lambda: _tags_with_alias(mlflow, "faces"))
    audit = service.get(f"/v1/audits/{tags['salience.audit_id']}").json()
    results = service.get(f"/v1/audits/{audit['id']}/results").json()
    mean = next(
        row["mean"]
        for row in results["summaries"]
        if (row["view"], row["group_by"], row["group"]) == ("spatial", "total", "macro")
    )
    assert tags["salience.verdict"] == audit["verdict"] == "passed"
    assert float(tags["salience.entropy"].split()[0]) == pytest.approx(mean, rel=1e-5)
    assert tags["salience.report_url"] == str(service.base_url.join(f"/v1/audits/{audit['id']}/report"))
    log = until(lambda: ended(service, hook, 2))
    assert [(one["outcome"], one["audit_id"]) for one in log] == [("audited", audit["id"])] * 2
    assert [body["key"] for body in mlflow.written if "key" in body][-1] == "salience.verdict"
    assert sum(body.get("key") == "salience.verdict" for body in mlflow.written) == 1
    check_run(mlflow, audit["id"], mean)
    dry = service.post(f"/v1/policies/{policy['id']}/test", json={"hook_id": hook["id"], "delivery_id": log[0]["id"]})
    assert dry.json()["matches"], dry.text
    again = service.post(f"/v1/hooks/{hook['id']}/deliveries/{log[0]['id']}/replay")
    assert again.status_code == 202
    assert until(lambda: ended(service, hook, 2))[0]["audit_id"] == audit["id"]


def check_run(mlflow: RecordedMlflow, audit_id: str, mean: float) -> None:
    """The run that the version came from has the numbers that count as metrics, and the report."""
    assert "says nothing" not in mlflow.tags("faces")["salience.entropy"]
    assert mlflow.metrics == {"salience.entropy": pytest.approx(mean)}
    (page,) = [mlflow.logged[f"0/{RUN_ID}/artifacts/salience/{audit_id}/report.html"]]
    assert audit_id.encode() in page
    assert page.startswith(b"<!doctype html>")


def test_echoes_are_ignored(service: httpx.Client, hook: Json) -> None:
    echoes = [
        delivery("model_version_tag", "set", name="faces", version="1", key="salience.verdict", value="passed"),
        delivery("model_version_alias", "created", name="faces", version="1", alias="audited"),
        delivery("model_version", "created", name="example_model", version="1", run_id="abcd1234abcd5678"),
    ]
    ids = {send(service, hook["id"], body).json()["delivery_id"] for body in echoes}
    log = until(lambda: [one for one in ended(service, hook, 5) or () if one["id"] in ids])
    assert [one["outcome"] for one in log] == ["ignored"] * 3
    assert all(one["reason"] for one in log)


def test_failures_are_told_once(
    service: httpx.Client,
    mlflow: RecordedMlflow,
    hook: Json,
    make_policy: Callable[..., Json],
    receiver: Receiver,
) -> None:
    """Of versions that the registry does not know, one after the other; then the hook works again."""
    policy = make_policy("gone", "entropy.spatial.mean <= 1")
    for version in ("1", "2"):
        sent = send(service, hook["id"], created("gone", version)).json()["delivery_id"]
        failed = until(lambda: outcome_of(service, hook, sent))  # noqa: B023
        assert failed["outcome"] == "failed"
    until(lambda: receiver.received)
    (told,) = [one.document() for one in receiver.received]
    assert told["type"] == "hook.failing"
    said = told["data"]
    expected = (hook["id"], policy["id"], "gone", "1")
    assert tuple(said[name] for name in ("hook_id", "policy_id", "model", "version")) == expected
    assert said["problem"]["code"] == "registry-not-found"
    assert service.get(f"/v1/hooks/{hook['id']}").json()["failing_since"]
    check_retry(service, mlflow, policy)
    assert until(lambda: service.get(f"/v1/hooks/{hook['id']}").json()["failing_since"] is None)


def check_retry(service: httpx.Client, mlflow: RecordedMlflow, policy: Json) -> None:
    """What the policy met is listed, page by page; once it is mended, one is tried again."""
    path = f"/v1/policies/{policy['id']}/runs"
    page = service.get(path, params={"limit": 1}).json()
    rest = service.get(path, params={"limit": 1, "cursor": page["next_cursor"]}).json()
    runs = [*page["items"], *rest["items"]]
    assert [(run["version"], run["stage"], run["outcome"]) for run in runs] == [
        ("2", "failed", "failed"),
        ("1", "failed", "failed"),
    ]
    assert all("does not know it" in run["reason"] for run in runs)
    mlflow.register("gone", "1")
    again = service.post(f"{path}/{rest['items'][0]['id']}/retry")
    assert (again.status_code, again.json()["stage"]) == (202, "importing"), again.text
    refused = service.post(f"{path}/{rest['items'][0]['id']}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "run-not-failed")
    assert until(lambda: mlflow.tags("gone").get("salience.verdict")) == "passed"
    assert until(lambda: mlflow.aliases.get(("gone", "audited"))) == "1"


def test_secrets_stay_secret(
    service: httpx.Client, mlflow: RecordedMlflow, connection: Json, hook: Json, open_folder: Path
) -> None:
    """The registry got it; no answer, log or message has it. Deleting what is in use is refused."""
    assert {told for _, told in mlflow.asked} == {f"Bearer {PLANTED}"}
    tried = service.post(f"/v1/connections/{connection['id']}/test")
    assert tried.json()["works"], tried.text
    refused = service.delete(f"/v1/connections/{connection['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "connection-in-use")
    shown = [service.get(path).text for path in ("/v1/connections", f"/v1/connections/{connection['id']}", "/v1/hooks")]
    logs = [path.read_text(errors="replace") for path in (open_folder / "service" / "logs").glob("*.log")]
    for text in [*shown, tried.text, refused.text, *logs]:
        assert PLANTED not in text
        assert SECRET not in text


def _tags_with_alias(mlflow: RecordedMlflow, name: str) -> dict[str, str] | None:
    return mlflow.tags(name) if (name, "audited") in mlflow.aliases else None
