"""Two API processes and a worker, watched: their logs in files, their traces in a collector, secrets in their way."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet
from prepare import build_archive
from redis import Redis
from redis.exceptions import RedisError

from app.embedded.ports import accepts, free_port
from app.embedded.postgres import EmbeddedPostgres
from tests.keys import HEADERS, KEY, SECRET
from tests.observability.otlp_receiver import Receiver, otlp_receiver
from tests.observability.registries import Planted, parrot, plant
from tests.waiting import PATIENCE_SECONDS, until, upload, upload_run, wait_for

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
REQUEST_ID = "the-request-that-began-it"
PLANTED = {
    "AWS_ACCESS_KEY_ID": "AKIAPLANTEDACCESSKEY",
    "AWS_SECRET_ACCESS_KEY": "planted/secret+access/key0123456789",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-collector-key=planted-collector-key",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
}
IN_QUERY = "planted-in-a-query"
IN_BODY = "planted-in-a-body"


@dataclass
class Watched:
    """What runs, what it said, and what must not be in it."""

    clients: list[httpx.Client]
    logs: dict[str, Path]
    receiver: Receiver
    secrets: list[str]
    audit: dict[str, Any] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    """All that anybody said to the broker."""
    problems: list[str] = field(default_factory=list)
    """Bodies of refusals."""
    database_url: str = ""
    planted: Planted = field(default_factory=Planted)
    """Secrets of registries, and what was said of them."""
    credentials: list[str] = field(default_factory=list)
    """What registries were shown."""

    def keep_problem(self, answer: httpx.Response) -> None:
        if answer.is_error:
            answer.read()
            self.problems.append(answer.text + str(answer.headers))

    def lines(self, process: str) -> list[dict[str, Any]]:
        """Without the last one where it is only half written."""
        whole, _, _ = self.logs[process].read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]


@pytest.fixture(scope="package")
def watched(postgres: EmbeddedPostgres, broker_url: str) -> Iterator[Watched]:
    """After one audit, with everything logged that can be."""
    url = _own_database(postgres)
    # A Valkey database of its own: the other tests' messages name rows that this worker does not have.
    broker = broker_url.rpartition("/")[0] + "/8"
    folder = Path(tempfile.mkdtemp(prefix="salience-audit-watched-"))
    with otlp_receiver() as receiver, _running(folder, _environment(url, broker, folder, receiver)) as (ports, logs):
        clients = [
            httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=PATIENCE_SECONDS)
            for port in ports
        ]
        found = Watched(clients, logs, receiver, _secrets(url, broker), database_url=url)
        for client in clients:
            client.event_hooks = {"response": [found.keep_problem]}
        with _overheard(broker, found.commands):
            _audit(found)
            _use_registries(found)
        yield found
        for client in clients:
            client.close()


def _own_database(postgres: EmbeddedPostgres) -> str:
    """The URL of a new one, with tables and no rows."""
    name = f"watched_{uuid4().hex}"
    with psycopg.connect(postgres.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres") as connection:
        connection.autocommit = True
        connection.execute(f"CREATE DATABASE {name} TEMPLATE salience_audit")
    return postgres.url.rpartition("/")[0] + f"/{name}"


def _environment(url: str, broker: str, folder: Path, receiver: Receiver) -> dict[str, str]:
    return PLANTED | {
        "DATABASE_URL": url,
        "BROKER_URL": broker,
        "BLOB_STORE": str(folder / "blobs"),
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": "json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "ALLOWED_NETWORKS": "127.0.0.1/32",
        "REGISTRY_SECONDS": "0.2",
        "WEBHOOK_SECONDS": "0.2",
    }


def _secrets(url: str, broker: str) -> list[str]:
    passwords = [httpx.URL(address).password for address in (url, broker)]
    planted = (value.rstrip("=").rpartition("=")[2] for value in PLANTED.values())
    return [*passwords, KEY, SECRET, IN_QUERY, IN_BODY, *planted]


@contextmanager
def _running(folder: Path, environment: dict[str, str]) -> Iterator[tuple[list[int], dict[str, Path]]]:
    """The two APIs' ports, and every process's log; the folder goes when they end."""
    ports = [free_port(), free_port()]
    commands = {
        f"api{number}": ("serve", "--only", "api", "--port", str(port), "--data", str(folder / f"data{number}"))
        for number, port in enumerate(ports)
    } | {"worker": ("worker",)}
    logs = {name: folder / f"{name}.log" for name in commands}
    processes = [start(command, logs[name], environment) for name, command in commands.items()]
    try:
        until(lambda: all(map(accepts, ports)))
        yield ports, logs
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(PATIENCE_SECONDS)
        shutil.rmtree(folder)


def _use_registries(watched: Watched) -> None:
    with parrot() as server:
        watched.planted = plant(watched.clients[0], server, watched.audit["dataset_id"])
        watched.credentials = server.credentials
    watched.secrets += watched.planted.secrets


def start(command: tuple[str, ...], log: Path, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        full = [sys.executable, "-m", "app.cli", *command]
        return subprocess.Popen(full, env=os.environ | environment, stdout=file, stderr=file)


@contextmanager
def _overheard(broker: str, commands: list[str]) -> Iterator[None]:
    redis = Redis.from_url(broker)
    with redis.monitor() as monitor:  # type: ignore[no-untyped-call] # of redis-py, which leaves it untyped

        def listen() -> None:
            with suppress(RedisError, OSError, ValueError):
                commands.extend(str(command) for command in monitor.listen())

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield
        until(lambda: any("reduce_audit" in command for command in commands))
        monitor.connection.disconnect()
        thread.join(10)
    redis.close()


def _audit(watched: Watched) -> None:
    """One small audit through the first API, by a client that has a trace of its own."""
    client = watched.clients[0]
    dataset = upload(client, "datasets", {"name": "faces", "metadata": {"note": IN_BODY}}, build_archive())
    model = upload_run(client, "cross_entropy_run1")
    measures: dict[str, Any] = {"entropy": {}, "degradation": {}}
    request = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "sample_limit": 8}
    headers = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01", "X-Request-ID": REQUEST_ID}
    started = client.post(
        "/v1/audits", json=request | {"protocol": {"micro_batch": 8, "measures": measures}}, headers=headers
    )
    assert started.status_code == 202, started.text
    watched.audit = wait_for(client, f"/v1/audits/{started.json()['id']}", "succeeded", "failed")
    assert watched.audit["status"] == "succeeded", watched.audit
    client.get("/v1/models", params={"name": IN_QUERY, "token": IN_QUERY})
    client.get(f"/nowhere/{IN_QUERY}?api_key={IN_QUERY}")
    client.get(f"/v1/models/{KEY}", params={"cursor": KEY})
    client.get("/v1/models", params={"cursor": KEY, "status": KEY})
    client.post("/v1/models", json={KEY: KEY, "name": {"password": IN_BODY}})
    client.get("/v1/models", headers={"Authorization": f"Bearer {KEY[:-1]}"})
    client.post("/v1/datasets", content=f'{{"name": "{IN_BODY}", "password": "{IN_BODY}", "x": }}')
    until(lambda: bool(watched.receiver.named("reduce")))
