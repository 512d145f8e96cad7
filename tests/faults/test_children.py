"""What happens to a model's process, or to its worker, costs time and never a bit of the results."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster import PATIENT, Cluster, Worker, alive, children_of, forkservers_of
from tests.faults.conftest import Recovery
from tests.waiting import until

LONG_LEASE = "120"


def check_identical(cluster: Cluster, audit_id: str, digest: str) -> None:
    ended = cluster.wait(audit_id)
    assert ended["status"] == "succeeded", ended["problem"]
    assert cluster.digest(audit_id) == digest


def test_the_child_is_killed(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    check_environment(worker)
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    child, crashes = worker.child, cluster.crashes("model")
    with recovering("kill -9 of the child in mid-shard"):
        os.kill(child, signal.SIGKILL)
        check_identical(cluster, audit_id, undisturbed)
    assert cluster.crashes("model") == crashes + 1
    assert worker.process.poll() is None
    assert child not in children_of(worker.process.pid)


@pytest.mark.long
def test_the_child_hangs(cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery) -> None:
    worker = cluster.start_worker(CHILD_BATCH_SECONDS="10")
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    child = worker.child
    with recovering("the child hangs (SIGSTOP)"):
        os.kill(child, signal.SIGSTOP)
        check_identical(cluster, audit_id, undisturbed)
    assert not alive(child)


@pytest.mark.long
def test_a_model_that_is_too_slow_fails_its_own_audit_only(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery
) -> None:
    worker = cluster.start_worker(CHILD_BATCH_SECONDS="6")
    slow, next_one = cluster.submit(parts, micro_batch=1024), cluster.submit(parts)
    with recovering("a batch over the wall clock, twice"):
        failed = cluster.wait(slow)
        assert (failed["status"], failed["problem"]["code"]) == ("failed", "audit-timeout")
        assert "longer than 6 seconds" in failed["problem"]["detail"]
        assert "attempt 2" in failed["problem"]["detail"]
        check_identical(cluster, next_one, undisturbed)
    assert worker.process.poll() is None


@pytest.mark.long
def test_a_model_that_eats_memory_fails_its_own_audit_only(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery
) -> None:
    worker = cluster.start_worker(CHILD_MEMORY_BYTES=str(1200 * 1024**2))
    greedy, next_one = cluster.submit(parts, micro_batch=512), cluster.submit(parts)
    with recovering("a model over the memory limit, once"):
        failed = cluster.wait(greedy)
        assert (failed["status"], failed["problem"]["code"]) == ("failed", "audit-resource-limit")
        assert "memory" in failed["problem"]["detail"]
        assert "attempt 1" in failed["problem"]["detail"]
        check_identical(cluster, next_one, undisturbed)
    assert worker.process.poll() is None


@pytest.mark.long
def test_a_model_that_writes_files_fails_its_own_audit_only(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery
) -> None:
    worker = cluster.start_worker(CHILD_SCRATCH_FILES="20")
    writing = cluster.submit(parts)
    cluster.wait_mid_shard(writing)
    scratch = Path(f"/proc/{worker.child}/cwd").resolve()
    assert scratch in worker.scratch_folders()
    with recovering("a model that writes files, once"):
        for number in range(21):
            (scratch / str(number)).touch()
        failed = cluster.wait(writing)
        assert (failed["status"], failed["problem"]["code"]) == ("failed", "audit-resource-limit")
        assert "more files than it may" in failed["problem"]["detail"]
        check_identical(cluster, cluster.submit(parts), undisturbed)
    assert not scratch.exists()
    assert worker.process.poll() is None


def test_cancelling_kills_even_a_child_that_hears_nothing(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    child = worker.child
    os.kill(child, signal.SIGSTOP)
    with recovering("cancel, the child deaf to SIGTERM"):
        assert cluster.client.post(f"/v1/audits/{audit_id}/cancel").json()["status"] == "cancelled"
        until(lambda: not alive(child))
        until(lambda: not worker.scratch_folders())
    check_identical(cluster, cluster.submit(parts), undisturbed)


def test_the_worker_is_killed(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    child = worker.child
    with recovering("kill -9 of the worker in mid-shard"):
        worker.send(signal.SIGKILL)
        until(lambda: not alive(child))
        cluster.start_worker(**PATIENT)
        check_identical(cluster, audit_id, undisturbed)


def test_the_worker_sleeps_past_its_lease(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    shard = cluster.wait_mid_shard(audit_id)
    with recovering("SIGSTOP of the worker past its lease, SIGCONT"):
        worker.send(signal.SIGSTOP)
        cluster.start_worker(**PATIENT)
        until(lambda: cluster.query("SELECT 1 FROM shards WHERE id = %s AND attempt > 1", shard))
        worker.send(signal.SIGCONT)
        check_identical(cluster, audit_id, undisturbed)
    time.sleep(2)  # whatever the sleeper still wants to say
    assert cluster.digest(audit_id) == undisturbed
    assert worker.process.poll() is None


@pytest.mark.long
def test_a_deploying_worker_gives_its_shard_back(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery
) -> None:
    worker = cluster.start_worker(LEASE_SECONDS=LONG_LEASE)
    audit_id = cluster.submit(parts)
    shard = cluster.wait_mid_shard(audit_id)
    child = worker.child
    with recovering("SIGTERM of a deploying worker"):
        worker.send(signal.SIGTERM)
        assert worker.process.wait(10) == 0
        assert not alive(child)
        assert not worker.scratch_folders()
        assert cluster.query("SELECT status, attempt FROM shards WHERE id = %s", shard) == [("queued", 0)]
        cluster.start_worker(LEASE_SECONDS=LONG_LEASE)
        check_identical(cluster, audit_id, undisturbed)


def check_environment(worker: Worker) -> None:
    """Children are forked without one."""
    (forkserver,) = until(lambda: forkservers_of(worker.process.pid))
    assert not (Path("/proc") / str(forkserver) / "environ").read_bytes()
