"""What happens to the database, the broker, the API or a line between them costs time and never a bit."""

import threading
from contextlib import suppress
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.domain.vocabulary import DeviceClass
from app.queue import TaskName, TaskQueue
from tests.faults.cluster import Cluster, Worker
from tests.faults.conftest import Recovery
from tests.faults.cutting_proxy import CuttingProxy
from tests.faults.test_children import check_identical
from tests.waiting import until

Parts = dict[str, Any]


@pytest.mark.long
def test_the_broker_loses_everything(cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery) -> None:
    audit_id = cluster.submit(parts)
    cluster.servers.empty_broker()
    with recovering("the broker is emptied"):
        cluster.start_worker()
        check_identical(cluster, audit_id, undisturbed)


def test_the_broker_is_killed(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    with recovering("kill -9 of the broker in mid-shard, empty restart"):
        cluster.servers.kill_broker()
        until(lambda: cluster.query("SELECT 1 FROM shards WHERE status = 'done' AND audit_id = %s", audit_id))
        cluster.servers.restart_broker()
        check_identical(cluster, audit_id, undisturbed)


def test_the_api_is_killed_before_it_could_ring(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    known = {row[0] for row in cluster.query("SELECT id FROM audits")}
    cluster.servers.freeze_broker()
    asking = threading.Thread(target=lambda: _submit_to_the_dying(cluster, parts))
    asking.start()
    found = until(lambda: {row[0] for row in cluster.query("SELECT id FROM audits")} - known)
    with recovering("kill -9 of the API between commit and enqueue"):
        cluster.kill_api()
        asking.join()
        cluster.servers.thaw_broker()
        cluster.start_api()
        check_identical(cluster, str(found.pop()), undisturbed)


def _submit_to_the_dying(cluster: Cluster, parts: Parts) -> None:
    with suppress(httpx.HTTPError):
        cluster.submit(parts)


def test_postgres_is_killed(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    with recovering("kill -9 of Postgres in mid-shard, restart"):
        cluster.servers.kill_postgres()
        cluster.servers.restart_postgres()
        check_identical(cluster, audit_id, undisturbed)
    assert worker.process.poll() is None


@pytest.mark.parametrize("before", [False, pytest.param(True, marks=pytest.mark.long)], ids=["after", "before"])
def test_the_line_is_cut_in_commit(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, *, before: bool
) -> None:
    proxy = CuttingProxy(cluster.servers.postgres.port, before=before)
    address = cluster.database_url.replace(f":{cluster.servers.postgres.port}/", f":{proxy.port}/")
    cluster.start_worker(DATABASE_URL=address)
    with recovering(f"the line is cut {'before' if before else 'after'} the COMMIT"):
        audit_id = cluster.submit(parts)
        check_identical(cluster, audit_id, undisturbed)
    assert proxy.cut.is_set()
    proxy.close()


@pytest.mark.long
def test_all_workers_are_killed(cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery) -> None:
    workers = [cluster.start_worker() for _ in range(2)]
    audit_id = cluster.submit(parts)
    both = "SELECT 1 FROM shards WHERE audit_id = %s AND samples_done > 0 HAVING count(*) = 2"
    until(lambda: cluster.query(both, audit_id))
    with recovering("kill -9 of all workers"):
        for worker in workers:
            worker.process.kill()
        cluster.start_worker()
        check_identical(cluster, audit_id, undisturbed)


@pytest.mark.long
def test_messages_come_many_times(cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery) -> None:
    audit_id = cluster.submit(parts)
    queue = TaskQueue(cluster.servers.broker.url)
    queue.wake_for_shards(DeviceClass.CPU, 20)
    queue.send(TaskName.REDUCE_AUDIT, UUID(audit_id))
    with recovering("every message twenty times, two workers"):
        for _ in range(2):
            cluster.start_worker()
        check_identical(cluster, audit_id, undisturbed)
    for _ in range(3):
        queue.send(TaskName.REDUCE_AUDIT, UUID(audit_id))
    until(lambda: queue.depth() == 0)
    queue.close()
    assert cluster.digest(audit_id) == undisturbed
    assert cluster.query("SELECT count(*) FROM audit_results WHERE audit_id = %s", audit_id) == [(1,)]
    assert cluster.query("SELECT DISTINCT attempt FROM shards WHERE audit_id = %s", audit_id) == [(1,)]
