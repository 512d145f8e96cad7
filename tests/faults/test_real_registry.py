"""Our API is killed between a version that is registered in a real MLflow and its verdict: both come, once each."""

from pathlib import Path

import pytest
from mlflow_server import mlflow_program, mlflow_server
from prepare import build_archive

from tests.faults.cluster import Cluster
from tests.faults.conftest import Recovery
from tests.faults.test_registries import LEASES_END
from tests.registries.making import create
from tests.registries.signing import SECRET
from tests.waiting import until, upload

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(mlflow_program() is None, reason="MLflow is missing (make integration installs it)"),
]
NAME = "halved"


def test_the_api_is_killed_between_version_and_verdict(cluster: Cluster, recovering: Recovery, tmp_path: Path) -> None:
    """The first version's event is kept when the API dies; that of the second finds nobody, and MLflow gives it up."""
    cluster.start_worker()
    dataset = upload(cluster.client, "datasets", {"name": "faces"}, build_archive())
    cluster.stop_workers()
    with mlflow_server(tmp_path) as mlflow:
        connection = create(cluster.client, "connections", name="real", kind="mlflow", url=mlflow.url)["id"]
        gate = create(cluster.client, "gates", name="any", conditions=["entropy.spatial.mean <= 1"])["id"]
        asked = {"connection_id": connection, "dataset_id": dataset["id"], "sample_limit": 4, "gate": gate}
        how = {"match": {"model": NAME}, "protocol": {"measures": {"entropy": {}}}}
        create(cluster.client, "policies", name="real", write_back={"alias_on_pass": "audited"}, **asked, **how)
        hooked = {"kind": "mlflow", "connection_id": connection, "secret": SECRET}
        hook = create(cluster.client, "hooks", name="real", **hooked)["id"]
        mlflow.tell(str(cluster.client.base_url.join(f"/v1/hooks/{hook}/deliveries")), SECRET)
        first = mlflow.register(NAME, "pickled")
        until(lambda: cluster.query("SELECT 1 FROM policy_runs WHERE model_name = %s", NAME))
        with recovering("kill -9 of the API between a real MLflow's version and its verdict, an event lost"):
            cluster.kill_api()
            second = mlflow.register(NAME, "state_dict", "human_guided_run1")
            cluster.start_api()
            for statement in LEASES_END:
                cluster.administer(statement)
            cluster.start_worker()
            for version in (first, second):
                until(lambda: mlflow.tags(NAME, version).get("salience.verdict") == "passed")  # noqa: B023
            until(lambda: mlflow.aliased(NAME, "audited") == second)
        assert len({mlflow.tags(NAME, version)["salience.audit_id"] for version in (first, second)}) == 2
        runs = cluster.query("SELECT version FROM policy_runs WHERE model_name = %s", NAME)
        assert sorted(version for (version,) in runs) == sorted([first, second])
        models = cluster.query("SELECT version FROM models WHERE name = %s ORDER BY registered_at", NAME)
        assert [version for (version,) in models] == [first, second]
