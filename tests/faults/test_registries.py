"""What happens to a registry, the API or a worker between an event and its verdict: one audit and one write-back."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.faults.cluster import Cluster, Worker
from tests.faults.conftest import Recovery
from tests.registries.making import create
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow
from tests.registries.signing import SECRET, created, send
from tests.waiting import until

Json = dict[str, Any]
LEASES_END = (
    "UPDATE model_imports SET next_at = now() WHERE next_at IS NOT NULL",
    "UPDATE policy_runs SET next_at = now() WHERE next_at IS NOT NULL",
)
"""Of what a killed process had taken on: at once, and not after minutes."""


@pytest.fixture(scope="module")
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        yield server


@pytest.fixture(scope="module")
def hook(cluster: Cluster, parts: Json, mlflow: RecordedMlflow) -> str:
    """Of a registry whose versions are all audited."""
    connection = create(cluster.client, "connections", name="m", kind="mlflow", url=mlflow.url)["id"]
    asked = {"connection_id": connection, "dataset_id": parts["dataset_id"], "sample_limit": 4}
    how = {"match": {"model": "*"}, "protocol": {"micro_batch": 4, "measures": {"entropy": {}}}}
    gate = create(cluster.client, "gates", name="any", conditions=["entropy.spatial.mean <= 1"])["id"]
    told = {"alias_on_pass": "audited", "run": False}
    create(cluster.client, "policies", name="every version", gate=gate, write_back=told, **asked, **how)
    hook: str = create(cluster.client, "hooks", name="h", kind="mlflow", connection_id=connection, secret=SECRET)["id"]
    return hook


@pytest.fixture
def told(cluster: Cluster, mlflow: RecordedMlflow, hook: str) -> Callable[[str], None]:
    """A version is registered, and its event is sent ten times."""

    def tell(name: str) -> None:
        mlflow.register(name)
        ids = {send(cluster.client, hook, created(name), key=name).json()["delivery_id"] for _ in range(10)}
        assert len(ids) == 1

    return tell


def test_the_api_is_killed_in_mid_import(
    cluster: Cluster, mlflow: RecordedMlflow, told: Callable[[str], None], recovering: Recovery, worker: Worker
) -> None:
    """A version that is registered while no API is there, so that its event is lost, is found all the same."""
    mlflow.holds.set()
    told("halved")
    until(mlflow.halfway.is_set)
    with recovering("kill -9 of the API in mid-import, an event lost"):
        cluster.kill_api()
        mlflow.holds.clear()
        mlflow.register("unheard")
        mlflow.versions["unheard", "1"]["created_ms"] = int(time.time() * 1000) + 1000
        cluster.start_api()
        for statement in LEASES_END:
            cluster.administer(statement)
        check_one(cluster, mlflow, "halved")
        check_one(cluster, mlflow, "unheard")


@pytest.mark.long
def test_the_api_is_killed_between_two_tags(
    cluster: Cluster, mlflow: RecordedMlflow, told: Callable[[str], None], recovering: Recovery
) -> None:
    """Behind the first, and behind the verdict, which is the last: the alias follows. No tag is set twice."""
    mlflow.halfway.clear()
    mlflow.holds_answer_to = "salience.audit_id"
    cluster.start_worker()
    told("divided")
    with recovering("kill -9 of the API between two tags, and before the alias"):
        for after in ("salience.verdict", None):
            until(mlflow.halfway.is_set)
            cluster.kill_api()
            mlflow.halfway.clear()
            mlflow.holds_answer_to = after
            cluster.start_api()
            for statement in LEASES_END:
                cluster.administer(statement)
        check_one(cluster, mlflow, "divided")
    set_tags = [body["key"] for body in mlflow.written if body["name"] == "divided" and "key" in body]
    assert len(set_tags) == len(set(set_tags))
    assert {"salience.audit_id", "salience.entropy", "salience.verdict"} <= set(set_tags)


@pytest.mark.long
def test_the_registry_is_down(
    cluster: Cluster, mlflow: RecordedMlflow, told: Callable[[str], None], recovering: Recovery
) -> None:
    """When the version is to be fetched, and again when its verdict is to be written."""
    with recovering("a registry that answers 503, twice"):
        mlflow.down = True
        told("patient")
        until(lambda: any("patient" in path for path, _ in mlflow.asked[-5:]))
        mlflow.down = False
        cluster.start_worker()
        until(lambda: cluster.query("SELECT 1 FROM audits WHERE name = 'patient 1'"))
        mlflow.down = True
        waits = "SELECT 1 FROM policy_runs WHERE model_name = 'patient' AND stage = 'writing' AND attempts > 1"
        until(lambda: cluster.query(waits))
        mlflow.down = False
        check_one(cluster, mlflow, "patient")


@pytest.mark.long
def test_the_worker_is_killed_while_it_looks_at_an_import(
    cluster: Cluster, mlflow: RecordedMlflow, told: Callable[[str], None], recovering: Recovery
) -> None:
    worker = cluster.start_worker()
    told("probed")
    worker.child  # noqa: B018 - one is at work now
    with recovering("kill -9 of a worker that probes an imported model"):
        worker.process.kill()
        cluster.start_worker()
        check_one(cluster, mlflow, "probed")


def check_one(cluster: Cluster, mlflow: RecordedMlflow, name: str) -> None:
    """One model, one audit, one verdict, one move of the alias, whatever happened."""
    tags = until(lambda: mlflow.tags(name) if "salience.verdict" in mlflow.tags(name) else None)
    until(lambda: cluster.query("SELECT 1 FROM policy_runs WHERE model_name = %s AND stage = 'done'", name))
    for table in ("models", "audits"):
        (found,) = cluster.query(f"SELECT id FROM {table} WHERE name IN (%s, %s)", name, f"{name} 1")
    assert tags["salience.audit_id"] == str(found[0])
    written = [body for body in mlflow.written if (body["name"], body.get("key")) == (name, "salience.verdict")]
    assert len(written) == 1
    moved = [body for body in mlflow.written if (body["name"], body.get("alias")) == (name, "audited")]
    assert len(moved) == 1
    assert mlflow.aliases[name, "audited"] == "1"
