"""However many workers, however large the shards, however often it is asked: one audit, the same bits."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.faults.cluster import PROTOCOL, SAMPLES, Cluster
from tests.faults.conftest import Recovery
from tests.faults.test_children import check_identical

Parts = dict[str, Any]


@pytest.mark.long
@pytest.mark.parametrize("count", [2, 4])
def test_workers_share_an_audit(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, count: int
) -> None:
    _restart_api(cluster, SHARD_SAMPLES="4")
    for _ in range(count):
        cluster.start_worker()
    with recovering(f"no fault: {count} workers, shards of 4"):
        check_identical(cluster, cluster.submit(parts), undisturbed)
    _restart_api(cluster)


@pytest.mark.long
@pytest.mark.parametrize("size", [7, 1, 64])
def test_shards_of_any_size(cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, size: int) -> None:
    _restart_api(cluster, SHARD_SAMPLES=str(size))
    cluster.start_worker()
    with recovering(f"no fault: shards of {size}"):
        audit_id = cluster.submit(parts)
        check_identical(cluster, audit_id, undisturbed)
    made = cluster.query("SELECT count(*) FROM shards WHERE audit_id = %s", audit_id)
    assert made == [(-(-SAMPLES // size),)]
    _restart_api(cluster)


@pytest.mark.long
def test_fifty_submissions_with_one_key(cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery) -> None:
    body = parts | {"sample_limit": SAMPLES, "protocol": PROTOCOL}

    def submit(_number: int) -> str:
        answer = cluster.client.post("/v1/audits", json=body, headers={"Idempotency-Key": "fifty"})
        assert answer.status_code == 202, answer.text
        audit_id: str = answer.json()["id"]
        return audit_id

    with recovering("50 parallel submissions with one key"), ThreadPoolExecutor(50) as pool:
        (audit_id,) = set(pool.map(submit, range(50)))
        cluster.start_worker()
        check_identical(cluster, audit_id, undisturbed)


def _restart_api(cluster: Cluster, **settings: str) -> None:
    cluster.kill_api()
    cluster.start_api(**settings)
