"""Killed at whatever moment: the bits stay the same."""

import os
import random
import signal
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.faults.cluster import Cluster, children_of
from tests.faults.conftest import Recovery
from tests.faults.test_children import check_identical
from tests.waiting import until

SEEDS = range(20)
LATEST_SECONDS = 4.0
"""Long enough that some of them come after a shard's end."""


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_the_child_is_killed_at_any_time(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, seed: int
) -> None:
    worker = cluster.start_worker(LEASE_SECONDS="120")
    audit_id = cluster.submit(parts)
    children = until(lambda: children_of(worker.process.pid))
    time.sleep(random.Random(seed).uniform(0, LATEST_SECONDS))
    with recovering(f"kill -9 of the child, seed {seed}"):
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        check_identical(cluster, audit_id, undisturbed)


@pytest.mark.long
def test_postgres_is_killed_between_two_shards(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery
) -> None:
    cluster.start_worker()
    audit_id = cluster.submit(parts)
    until(lambda: cluster.query("SELECT 1 FROM shards WHERE status = 'done' AND audit_id = %s", audit_id))
    with recovering("kill -9 of Postgres between two shards, restart"):
        cluster.servers.kill_postgres()
        cluster.servers.restart_postgres()
        check_identical(cluster, audit_id, undisturbed)
    assert cluster.query("SELECT count(*) FROM shards WHERE status = 'done' AND audit_id = %s", audit_id) == [(2,)]
