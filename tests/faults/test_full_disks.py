"""A full disk is told to whoever uploads, and makes a shard's rows wait for room: no result is lost for it."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.cluster import LEASE_SECONDS, SHARD, Cluster, Worker
from tests.faults.conftest import Recovery
from tests.faults.test_children import check_identical
from tests.waiting import RECIPE, until

Parts = dict[str, Any]
Inside = Callable[[Path], tuple[str, ...]]

DISK_BYTES = 64 * 1024**2


def _on_a_small_disk(folder: Path) -> tuple[str, ...]:
    """A disk of 4 MB in a mount namespace of its own, which any user may have where the kernel allows it."""
    own = ("unshare", "--map-root-user", "--mount")
    mount = f"mount -t tmpfs -o size=4m tmpfs '{folder}'"
    try:
        subprocess.run([*own, "sh", "-c", mount], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this kernel gives this user no mount namespace: no small disk")
    return (*own, "sh", "-c", f'{mount} && exec "$@"', "sh")


def _under_a_file_limit(_folder: Path) -> tuple[str, ...]:
    """Files of at most 4 MB."""
    return ("bash", "-c", 'ulimit -f 4096; exec "$@"', "bash")


@pytest.mark.long
@pytest.mark.parametrize("inside", [_on_a_small_disk, _under_a_file_limit])
def test_the_blob_store_is_full(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, inside: Inside
) -> None:
    folder = cluster.folder / "small"
    folder.mkdir(exist_ok=True)
    command = inside(folder)
    cluster.kill_api()
    cluster.start_api(*command, BLOB_STORE=str(folder))
    model = cluster.client.post("/v1/models", json=RECIPE | {"name": "large"}).json()
    with recovering(f"the blob store is full ({inside.__name__.strip('_')})"):
        answer = cluster.client.put(model["content_url"], content=bytes(30_000_000))
        assert (answer.status_code, answer.json()["code"]) == (507, "insufficient-storage")
        assert not list((cluster.api_root / folder.relative_to("/") / "quarantine").glob("*"))
        assert cluster.client.get("/readyz").status_code == 200
        assert cluster.client.put(model["content_url"], content=bytes(1_000_000)).status_code == 202
        cluster.start_worker()
        check_identical(cluster, cluster.submit(parts), undisturbed)
    cluster.kill_api()
    cluster.start_api()


@pytest.fixture
def full_table(cluster: Cluster) -> Iterator[Path]:
    """Scores lie on a small disk; the file that fills it up."""
    owner, folder = cluster.servers.postgres.cluster.stat(), cluster.folder / "tablespace"
    folder.mkdir()
    with _mounted(folder):
        os.chown(folder, owner.st_uid, owner.st_gid)
        cluster.administer(f"CREATE TABLESPACE small LOCATION '{folder}'")
        cluster.administer("ALTER TABLE sample_scores SET TABLESPACE small")
        ballast = folder / "ballast"
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(bytes(2 * DISK_BYTES))
        yield ballast
        ballast.unlink(missing_ok=True)
        cluster.administer("ALTER TABLE sample_scores SET TABLESPACE pg_default")
        cluster.administer("DROP TABLESPACE small")


@contextmanager
def _mounted(folder: Path) -> Iterator[None]:
    """Seen by the database too, which other tests keep running: only root can mount that."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk for a server that runs already")
    try:
        yield
    finally:
        # Lazily: a background process of the server may still hold a file of it.
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_the_database_is_full(
    cluster: Cluster, parts: Parts, undisturbed: str, recovering: Recovery, full_table: Path, worker: Worker
) -> None:
    audit_id = cluster.submit(parts)
    computed = f"SELECT lease_expires_at FROM shards WHERE samples_done = {SHARD} AND audit_id = %s"
    ((expires,),) = until(lambda: cluster.query(computed, audit_id))
    later = expires + timedelta(seconds=LEASE_SECONDS)
    until(lambda: cluster.query(f"{computed} AND lease_expires_at > %s", audit_id, later))
    assert cluster.query("SELECT DISTINCT status FROM shards WHERE audit_id = %s ORDER BY 1", audit_id) == [
        ("queued",),
        ("running",),
    ]
    with recovering("the database's disk is full, then has room"):
        full_table.unlink()
        check_identical(cluster, audit_id, undisturbed)
    assert cluster.query("SELECT DISTINCT attempt FROM shards WHERE audit_id = %s", audit_id) == [(1,)]
