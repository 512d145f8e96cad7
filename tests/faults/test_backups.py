"""A backup that was taken while an audit was being written, restored into servers that are empty."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from app.embedded.postgres import EmbeddedPostgres
from tests.faults.cluster import Cluster, Worker
from tests.faults.conftest import Recovery
from tests.faults.servers import Servers
from tests.faults.test_children import check_identical


@pytest.fixture
def backup(open_folder: Path) -> Iterator[Path]:
    folder = open_folder / "restored"
    yield folder
    shutil.rmtree(folder)


def back_up(cluster: Cluster, folder: Path) -> None:
    """Online, the database first (Postgres 18, "Making a Base Backup Using the Low Level API"), then the blobs."""
    target = EmbeddedPostgres(folder / "postgres").cluster
    original = cluster.servers.postgres.cluster
    with psycopg.connect(cluster.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT pg_backup_start('test', fast => true)")
        leave_out = shutil.ignore_patterns("pg_wal", "postmaster.pid", "postmaster.opts", "pgsql_tmp*")
        shutil.copytree(original, target, ignore=leave_out, dirs_exist_ok=True, copy_function=_copy)
        stopped = connection.execute("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)").fetchone()
    shutil.copytree(original / "pg_wal", target / "pg_wal", copy_function=_copy)
    (target / "backup_label").write_text(stopped[0] if stopped else "")
    shutil.copy(cluster.folder / "postgres" / "postgres.password", folder / "postgres")
    _give_to_the_owner_of(original, target)
    for part in ("blobs", "data"):
        shutil.copytree(cluster.folder / part, folder / part)


def _copy(source: str, target: str) -> None:
    """What Postgres deletes meanwhile, the log brings back or deletes again."""
    try:
        shutil.copy2(source, target)
    except FileNotFoundError:
        return


def _give_to_the_owner_of(original: Path, target: Path) -> None:
    owner = original.stat()
    for path in (target, *target.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


def test_everything_committed_is_there_and_the_rest_is_resumed(
    cluster: Cluster, parts: dict[str, Any], undisturbed: str, recovering: Recovery, backup: Path, worker: Worker
) -> None:
    """What was backed up goes on meanwhile."""
    ended = [str(row[0]) for row in cluster.query("SELECT id FROM audits WHERE status = 'succeeded'")]
    audit_id = cluster.submit(parts)
    cluster.wait_mid_shard(audit_id)
    back_up(cluster, backup)
    restored = Cluster(Servers(backup), backup)
    try:
        with recovering("a backup in mid-shard, restored elsewhere"):
            restored.start_api()
            restored.start_worker()
            check_identical(restored, audit_id, undisturbed)
        assert ended
        assert [restored.digest(one) for one in ended] == [cluster.digest(one) for one in ended]
    finally:
        restored.close()
    check_identical(cluster, audit_id, undisturbed)
