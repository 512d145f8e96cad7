"""From an event to verdict tags and a moved alias: the real service, against a registry's recorded answers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.registries.recorded_mlflow import DESCRIPTION, RUN_ID, RecordedMlflow, recorded_mlflow
from tests.registries.signing import SECRET, created, delivery, send
from tests.waiting import until, wait_for
from tests.webhooks.receiver import Receiver, receiving

Json = dict[str, Any]
PLANTED = "planted-token-5f0c2a97d1e84b63"
PROTOCOL: Json = {"micro_batch": 4, "measures": {"entropy": {}}}


@pytest.fixture(scope="module")
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        yield server


@pytest.fixture(scope="module")
def connection(service: httpx.Client, mlflow: RecordedMlflow) -> Json:
    return _made(service, "connections", name="m", kind="mlflow", url=mlflow.url, auth={"token": PLANTED})


@pytest.fixture(scope="module")
def hook(service: httpx.Client, connection: Json) -> Json:
    return _made(service, "hooks", name="h", kind="mlflow", connection_id=connection["id"], secret=SECRET)


@pytest.fixture
def receiver(service: httpx.Client) -> Iterator[Receiver]:
    with receiving() as receiver:
        webhook = _made(service, "webhooks", url=receiver.url, events=["hook.failing"])
        yield receiver
        service.delete(f"/v1/webhooks/{webhook['id']}")


@pytest.fixture
def make_policy(
    service: httpx.Client, connection: Json, dataset: Json, make_gate: Callable[..., Json]
) -> Callable[..., Json]:
    def make(model: str, condition: str, **more: Any) -> Json:
        asked = {"connection_id": connection["id"], "dataset_id": dataset["id"], "sample_limit": 4}
        judged = {"gate": make_gate(condition)["id"], "write_back": {"alias_on_pass": "audited", "run": False}}
        how = {"match": {"model": model}, "protocol": PROTOCOL, **asked, **judged, **more}
        return _made(service, "policies", name=model, **how)

    return make


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
    log = until(lambda: _ended(service, hook, 2))
    assert [(one["outcome"], one["audit_id"]) for one in log] == [("audited", audit["id"])] * 2
    assert [body["key"] for body in mlflow.written if "key" in body][-1] == "salience.verdict"
    assert sum(body.get("key") == "salience.verdict" for body in mlflow.written) == 1
    check_run(mlflow, audit["id"], mean)
    dry = service.post(f"/v1/policies/{policy['id']}/test", json={"hook_id": hook["id"], "delivery_id": log[0]["id"]})
    assert dry.json()["matches"], dry.text
    again = service.post(f"/v1/hooks/{hook['id']}/deliveries/{log[0]['id']}/replay")
    assert again.status_code == 202
    assert until(lambda: _ended(service, hook, 2))[0]["audit_id"] == audit["id"]


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
    log = until(lambda: [one for one in _ended(service, hook, 5) or () if one["id"] in ids])
    assert [one["outcome"] for one in log] == ["ignored"] * 3
    assert all(one["reason"] for one in log)


def test_failures_are_told_once(
    service: httpx.Client,
    mlflow: RecordedMlflow,
    hook: Json,
    make_policy: Callable[..., Json],
    receiver: Receiver,
) -> None:
    """Of versions that the registry does not know, one after the other."""
    policy = make_policy("gone", "entropy.spatial.mean <= 1")
    for version in ("1", "2"):
        sent = send(service, hook["id"], created("gone", version)).json()["delivery_id"]
        failed = until(lambda: _outcome(service, hook, sent))  # noqa: B023
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


def test_versions_of_one_recipe(
    service: httpx.Client, mlflow: RecordedMlflow, hook: Json, make_policy: Callable[..., Json]
) -> None:
    """The first has no stability, the second has that of both, and each its own numbers. The hook works again."""
    protocol: Json = {"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}
    make_policy("seeds", "entropy.spatial.mean <= 1", run_group_tag="recipe", protocol=protocol)
    for version, run in (("1", "cross_entropy_run1"), ("2", "human_guided_run1")):
        mlflow.register("seeds", version, run, recipe="plain")
        send(service, hook["id"], created("seeds", version))
        until(lambda: "salience.verdict" in mlflow.tags("seeds", version))  # noqa: B023
    first, second = mlflow.tags("seeds", "1"), mlflow.tags("seeds", "2")
    audit = service.get(f"/v1/audits/{second['salience.audit_id']}").json()
    group = service.get(f"/v1/run-groups/{audit['run_group_id']}").json()
    assert (group["name"], group["model_ids"], len(audit["model_ids"])) == ("plain", audit["model_ids"], 2)
    rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    macro = [row for row in rows if (row["group_by"], row["group"]) == ("total", "macro")]
    (entropy,) = [row for row in macro if (row["view"], row["model_id"]) == ("spatial", group["model_ids"][1])]
    (stability,) = [row for row in macro if row["measure"] == "stability"]
    assert float(second["salience.entropy"].split()[0]) == pytest.approx(entropy["mean"], rel=1e-5)
    assert float(second["salience.stability"].split()[0]) == pytest.approx(stability["mean"], rel=1e-5)
    assert "salience.stability" not in first
    assert service.get(f"/v1/audits/{first['salience.audit_id']}").json()["run_group_id"] is None
    assert until(lambda: service.get(f"/v1/hooks/{hook['id']}").json()["failing_since"] is None)


def test_events_that_come_backwards(
    service: httpx.Client, mlflow: RecordedMlflow, hook: Json, make_policy: Callable[..., Json]
) -> None:
    """After an outage: the newer version is told of first, and yet compared with the older one, and gets the alias."""
    policy = make_policy("series", "entropy.spatial.mean not worse than baseline", baseline="previous")
    mlflow.down = True
    for version in ("8", "7"):
        mlflow.register("series", version)
        mlflow.versions["series", version]["created_ms"] = int(version)
        assert send(service, hook["id"], created("series", version)).status_code == 202
        until(lambda: any("series" in path for path, _ in mlflow.asked[-5:]))
    mlflow.down = False
    for version, verdict in (("7", "not judged"), ("8", "passed")):
        assert until(lambda: mlflow.tags("series", version).get("salience.verdict")) == verdict  # noqa: B023
    assert until(lambda: mlflow.aliases.get(("series", "audited"))) == "8"
    runs = service.get(f"/v1/policies/{policy['id']}/runs").json()["items"]
    audits = {run["version"]: service.get(f"/v1/audits/{run['audit_id']}").json() for run in runs}
    assert audits["8"]["gate"]["baseline_audit_id"] == audits["7"]["id"]
    history = service.get("/v1/model-history", params={"name": "series"}).json()
    assert [version["version"] for version in history["versions"]] == ["7", "8"]
    assert [version["registered_at"] for version in history["versions"]] == [
        "1970-01-01T00:00:00.007000Z",
        "1970-01-01T00:00:00.008000Z",
    ]


def test_description_that_is_missing(service: httpx.Client, mlflow: RecordedMlflow, connection: Json) -> None:
    mlflow.register("plain", described=False)
    source = {"connection_id": connection["id"], "uri": "models:/plain/1"}
    made = _made(service, "models", name="plain", class_names=RECIPE_CLASSES, source=source)
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


RECIPE_CLASSES = DESCRIPTION["class_names"]


def test_unknown_version_and_alias(service: httpx.Client, mlflow: RecordedMlflow, connection: Json) -> None:
    for uri in ("models:/nothing/1", "models:/plain@champion"):
        made = _made(service, "models", name="x", source={"connection_id": connection["id"], "uri": uri})
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


def _outcome(service: httpx.Client, hook: Json, delivery_id: str) -> Json | None:
    """Of one delivery, once it is followed."""
    log = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    return next((one for one in log if one["id"] == delivery_id and one["outcome"] != "pending"), None)


def _ended(service: httpx.Client, hook: Json, count: int) -> list[Json] | None:
    log: list[Json] = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    is_over = len(log) >= count and all(one["outcome"] != "pending" for one in log)
    return log if is_over else None


def _tags_with_alias(mlflow: RecordedMlflow, name: str) -> dict[str, str] | None:
    return mlflow.tags(name) if (name, "audited") in mlflow.aliases else None


def _made(service: httpx.Client, collection: str, **body: Any) -> Json:
    answer = service.post(f"/v1/{collection}", json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made
