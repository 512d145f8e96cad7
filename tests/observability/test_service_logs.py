"""Every line of every process has one form, says whose work it is, and holds no secret."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from app.embedded.ports import free_port
from tests.observability.conftest import IN_BODY, IN_QUERY, PLANTED, REQUEST_ID, Watched, start
from tests.waiting import PATIENCE_SECONDS, until

FAILING = {"api": ("serve", "--only", "api", "--port", "0"), "worker": ("worker",), "migrate": ("migrate",)}


class Failing(NamedTuple):
    """A process without its servers, and what it says."""

    log: Path
    process: "subprocess.Popen[bytes]"


@pytest.fixture(scope="session", autouse=True)
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Failing]]:
    """Begun before all others: an API waits half a minute for its database."""
    folder = tmp_path_factory.mktemp("failing")
    where = {
        "DATABASE_URL": f"postgresql+psycopg://salience:planted%2Fdatabase@127.0.0.1:{free_port()}/x",
        "BROKER_URL": f"redis://:planted-broker@127.0.0.1:{free_port()}/0",
        "BLOB_STORE": str(folder / "blobs"),
    }
    settings = {"RECONCILE_SECONDS": "0.2", "LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    found = {}
    with ExitStack() as started:
        for name, command in FAILING.items():
            data = ("--data", str(folder / "data")) if name == "api" else ()
            log = folder / f"{name}.log"
            process = start((*command, *data), log, PLANTED | where | settings)
            started.callback(process.wait, PATIENCE_SECONDS)
            started.callback(process.terminate)
            found[name] = Failing(log, process)
        yield found


def test_every_line_has_the_form(watched: Watched) -> None:
    for process in watched.logs:
        lines = watched.lines(process)
        assert lines
        for line in lines:
            assert {"time", "level", "logger", "message"} <= line.keys()
            assert datetime.fromisoformat(line["time"]).utcoffset() is not None


def test_libraries_log_in_the_same_form(watched: Watched) -> None:
    assert "uvicorn.error" in {line["logger"] for line in watched.lines("api0")}
    assert {"celery.worker.strategy", "celery.app.trace"} <= {line["logger"] for line in watched.lines("worker")}


def test_each_request_has_an_access_line(watched: Watched) -> None:
    lines = [line for line in watched.lines("api0") if line["logger"] == "app.access"]
    (audit,) = (line for line in lines if line["request_id"] == REQUEST_ID)
    assert (audit["method"], audit["route"], audit["status"]) == ("POST", "/v1/audits", 202)
    assert audit["duration_ms"] > 0
    assert audit["bytes"] > 100
    (upload,) = (line for line in lines if line["route"] == "/v1/models/{model_id}/content")
    assert upload["model_id"] == watched.audit["model_ids"][0]
    assert any(line["route"] == "unmatched" and line["status"] == 404 for line in lines)


def test_the_workers_lines_name_the_request_and_the_work(watched: Watched) -> None:
    lines = watched.lines("worker")
    done = {
        word: next(
            line for line in lines if line["message"].startswith(f"Task {word}") and "succeeded" in line["message"]
        )
        for word in ("validate_model", "index_dataset", "run_shard", "reduce_audit")
    }
    (shard,) = (line for line in lines if line["logger"] == "worker.shards.trace")
    for line in (shard, done["reduce_audit"]):
        assert line["request_id"] == REQUEST_ID
        assert line["audit_id"] == watched.audit["id"]
    # A wake-up names who sent it, but no audit: the shard that comes next may be another's.
    assert done["run_shard"]["request_id"] == REQUEST_ID
    assert "audit_id" not in done["run_shard"]
    assert shard["task_id"] in done["run_shard"]["message"]
    assert (shard["samples"], shard["attempt"]) == (8, 1)
    assert "shard_id" in shard
    assert done["validate_model"]["model_id"] == watched.audit["model_ids"][0]
    assert done["index_dataset"]["dataset_id"] == watched.audit["dataset_id"]
    requests = {line.get("request_id") for line in watched.lines("api0")}
    assert all(line["request_id"] in requests for line in done.values())


def test_the_childs_lines_name_them_too(watched: Watched) -> None:
    lines = [line for line in watched.lines("worker") if line["logger"] == "worker.child.server"]
    of_shard, of_model = (next(line for line in lines if line["message"].endswith(kind)) for kind in ("shard", "model"))
    (shard,) = (line for line in watched.lines("worker") if line["logger"] == "worker.shards.trace")
    for name in ("request_id", "audit_id", "shard_id", "task_id"):
        assert of_shard[name] == shard[name]
    assert of_model["model_id"] == watched.audit["model_ids"][0]
    decoded = [line for line in watched.lines("worker") if line["logger"].startswith("PIL.") and "shard_id" in line]
    assert decoded
    assert all(line["audit_id"] == watched.audit["id"] for line in decoded)


def test_no_line_holds_a_secret(watched: Watched) -> None:
    for process, log in watched.logs.items():
        text = log.read_text()
        assert text
        assert not [secret for secret in watched.secrets if secret in text], process


def test_neither_tasks_nor_problems_hold_a_secret(watched: Watched) -> None:
    assert sum("reduce_audit" in command for command in watched.commands) >= 1
    assert len(watched.problems) >= 5
    for text in (*watched.commands, *watched.problems):
        assert not [secret for secret in watched.secrets if secret in text], text


def test_registries_got_what_they_are_to_be_shown(watched: Watched) -> None:
    """Else nothing would be proved by what is nowhere else."""
    shown = " ".join(watched.credentials)
    found = [secret for secret in watched.planted.secrets if secret in shown]
    assert len(found) == 7  # tokens, and names with passwords; a key of S3 signs, and is not sent


def test_neither_answers_nor_events_hold_a_secret_of_a_registry(watched: Watched) -> None:
    assert watched.planted.told
    for text in (*watched.planted.shown, *watched.planted.told):
        assert not [secret for secret in watched.planted.secrets if secret in text], text


def test_no_row_holds_a_secret_of_a_registry(watched: Watched) -> None:
    """Of any table, as text or as bytes: only what the vault has sealed."""
    forms = [form for secret in watched.planted.secrets for form in (secret, secret.encode().hex())]
    with psycopg.connect(watched.database_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert ("connections",) in tables
        for (table,) in tables:
            rows = connection.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall()
            assert not [form for (row,) in rows for form in forms if form in row], table


@pytest.mark.parametrize("name", FAILING)
def test_failing_processes_keep_secrets_too(failing: dict[str, Failing], name: str) -> None:
    """Neither database nor broker answers; both passwords are in the errors' way."""
    log, process = failing[name]
    told = ("reconciler waits", "Cannot connect to redis", "The database cannot be used")
    until(lambda: any(words in log.read_text() for words in told))
    process.terminate()
    process.wait(PATIENCE_SECONDS)
    text = log.read_text()
    assert "planted" not in text.lower()
    assert IN_QUERY not in text
    assert IN_BODY not in text
