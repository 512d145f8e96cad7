"""A backup of a service that runs, restored into another database and store by a user who is no superuser."""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from prepare import build_archive
from psycopg.sql import SQL, Identifier

from app.embedded.postgres import EmbeddedPostgres
from app.server_file import PartsFile
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests import forked
from tests.waiting import upload

WRITTEN_MEANWHILE = {"api_keys", "counters", "webhook_deliveries"}
"""By the running service, between the backup and the look at it: when a key was last used, attempts to deliver."""


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "BROKER_URL"}}
    done = forked.run(arguments, kept | environment)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def empty_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database whose owner may make roles and no more."""
    name = f"restored_{uuid4().hex}"
    administration = postgres.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
    with psycopg.connect(administration, autocommit=True) as boss:
        boss.execute(SQL("CREATE ROLE {} LOGIN PASSWORD 'app' CREATEROLE").format(Identifier(name)))
        boss.execute(SQL("CREATE DATABASE {0} OWNER {0}").format(Identifier(name)))
    yield f"postgresql://{name}:app@127.0.0.1:{postgres.port}/{name}"
    with psycopg.connect(administration, autocommit=True) as boss:
        boss.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        own = boss.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'salience\\_audit\\_tenant\\_%'").fetchall()
        for role in [*(row[0] for row in own), name]:
            boss.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def contents(url: str) -> dict[str, str]:
    """A digest of every table's rows."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        named = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        tables = {row[0] for row in connection.execute(named)} - {"alembic_version", "workers", "gpu_reports"}
        whole = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} AS t"
        rows = {table: connection.execute(SQL(whole).format(Identifier(table))).fetchone() for table in tables}
    return {table: str(row[0]) for table, row in rows.items() if row is not None}


def test_everything_is_there_again(service: httpx.Client, open_folder: Path, empty_url: str, tmp_path: Path) -> None:
    dataset = upload(service, "datasets", {"name": "kept"}, build_archive())
    data, saved, store = open_folder / "service", tmp_path / "backup", tmp_path / "blobs"
    status, said = run("backup", str(saved), "--data", str(data))
    assert status == 0, said
    source = PartsFile(data).read()["DATABASE_URL"]
    expected = contents(source)
    target = {"DATABASE_URL": empty_url, "BLOB_STORE": str(store)}
    status, said = run("restore", str(saved), "--data", str(tmp_path / "data"), **target)
    assert status == 0, said
    found = contents(empty_url)
    assert {table for table in expected if expected[table] != found[table]} <= WRITTEN_MEANWHILE
    assert found["datasets"] == expected["datasets"]
    blobs = BlobStore.from_settings(Settings(blob_store=str(store)))
    assert blobs.size(dataset["content_digest"]) == dataset["content_size"]
    assert (tmp_path / "data" / "api-key.secret").read_text() == (data / "api-key.secret").read_text()
    with psycopg.connect(empty_url) as connection:
        forced = connection.execute("SELECT count(*) FROM pg_class WHERE relforcerowsecurity").fetchone()
        assert forced is not None
        assert forced[0] > 10
    # It is not poured over what is there, and what was damaged does not get in.
    assert run("restore", str(saved), **target) == (
        1,
        "The database holds something already; restore into an empty one.\n",
    )
    (saved / "manifest.json").rename(saved / "elsewhere.json")
    assert "holds no finished backup" in run("restore", str(saved), **target)[1]
