"""A real API and real workers on a database and broker of their own, and what a fault does to them."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
from cryptography.fernet import Fernet

from app.embedded.ports import accepts, free_port
from tests.faults.servers import Servers
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS, until, wait_for

ENDED = ("succeeded", "failed", "cancelled")
SAMPLES = 16
SHARD = 10
# Enough work for a shard that whoever kills something in the middle of it does not come too late.
MEASURES: dict[str, Any] = {
    "entropy": {},
    "noise_reaction": {"curve": []},
    "degradation": {},
    "geometric_resilience": {"groups": ["flips", "rotations"]},
    "stability": {},
}
PROTOCOL = {"micro_batch": 2, "measures": MEASURES}
LEASE_SECONDS = 4
PATIENT = {"MAX_SHARD_ATTEMPTS": "10"}
"""Where leases are short, a machine that stalls costs attempts which are nobody's fault."""
HIDDEN = {"SOME_SECRET": "hidden"}
"""Of the environment of workers, and of nobody's below them."""


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    try:
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def at_work(pid: int) -> bool:
    """It was handed something to read."""
    try:
        return any("/blobs/" in str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """Model processes of this worker, by the process tree."""
    return [child for forkserver in forkservers_of(pid) for child in forkservers_of(forkserver)]


def forkservers_of(pid: int) -> list[int]:
    """Processes that fork children, and whose parent this is."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"worker.child" in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


@dataclass
class Worker:
    """A worker process, started as an operator starts it."""

    process: "subprocess.Popen[bytes]"
    temporary: Path

    @property
    def child(self) -> int:
        """Of its child that is at work; it must have one."""
        return until(lambda: [pid for pid in children_of(self.process.pid) if at_work(pid)])[0]

    def scratch_folders(self) -> list[Path]:
        """What its children left behind."""
        return list(self.temporary.glob("*child*"))

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self) -> None:
        """SIGKILL: no test may depend on how the last one's workers ended."""
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.temporary)


@dataclass
class Cluster:
    """Servers and one API; workers come and go."""

    servers: Servers
    folder: Path
    client: httpx.Client = field(init=False)
    _port: int = field(default_factory=free_port)
    _api: "subprocess.Popen[bytes]" = field(init=False)
    _encryption_key: str = field(default_factory=lambda: Fernet.generate_key().decode())
    workers: list[Worker] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self._port}", headers=HEADERS, timeout=PATIENCE_SECONDS)

    @property
    def database_url(self) -> str:
        return self.servers.postgres.url

    def start_api(self, *inside: str, **settings: str) -> None:
        """On the same port every time; ``inside`` is a command that runs the rest of its arguments in its place."""
        arguments = ("serve", "--only", "api", "--port", str(self._port), "--data", str(self.folder / "data"))
        quick = {"SHARD_SAMPLES": str(SHARD), "RECONCILE_SECONDS": "0.5", "RECONCILE_AFTER_SECONDS": "3"}
        registries = {"ALLOWED_NETWORKS": "127.0.0.1/32", "SWEEP_SECONDS": "2", "ENCRYPTION_KEYS": self._encryption_key}
        environment = os.environ | self._environment() | quick | registries | settings
        self._api = subprocess.Popen([*inside, sys.executable, "-m", "app.cli", *arguments], env=environment)
        until(lambda: accepts(self._port))

    @property
    def api_root(self) -> Path:
        """The file system as the API sees it."""
        return Path(f"/proc/{self._api.pid}/root")

    def kill_api(self) -> None:
        self._api.kill()
        self._api.wait()

    def start_worker(self, **settings: str) -> Worker:
        """With a temporary folder of its own, so that leftovers show."""
        temporary = Path(tempfile.mkdtemp(prefix="salience-audit-worker-"))
        small = {"LEASE_SECONDS": str(LEASE_SECONDS), "DEVICE": "cpu", "THREADS": "1", "TMPDIR": str(temporary)}
        environment = os.environ | self._environment() | small | HIDDEN | settings
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], env=environment)
        self.workers.append(Worker(process, temporary))
        return self.workers[-1]

    def one_worker(self) -> Worker:
        """The youngest that lives, without the others; a new one where none does."""
        living = [worker for worker in self.workers if worker.process.poll() is None]
        self.stop_workers(but=living[-1:])
        return self.workers[0] if self.workers else self.start_worker(**PATIENT)

    def stop_workers(self, but: Sequence[Worker] = ()) -> None:
        for worker in self.workers:
            if worker not in but:
                worker.stop()
        self.workers = [*but]

    def close(self) -> None:
        self.stop_workers()
        self.client.close()
        self._api.terminate()
        self._api.wait(PATIENCE_SECONDS)
        self.servers.stop()

    def submit(self, parts: dict[str, Any], **protocol: Any) -> str:
        body = parts | {"sample_limit": SAMPLES, "protocol": PROTOCOL | protocol}
        answer = self.client.post("/v1/audits", json=body)
        assert answer.status_code == 202, answer.text
        audit_id: str = answer.json()["id"]
        return audit_id

    def wait(self, audit_id: str) -> dict[str, Any]:
        return wait_for(self.client, f"/v1/audits/{audit_id}", *ENDED)

    def wait_mid_shard(self, audit_id: str) -> UUID:
        """Until some of a shard's samples are done and some are not; returns the shard."""
        where = "status = 'running' AND samples_done BETWEEN 1 AND stop - start - 1"
        statement = f"SELECT id FROM shards WHERE {where} AND audit_id = %s"
        shards: list[tuple[UUID]] = until(lambda: self.query(statement, audit_id))
        return shards[0][0]

    def digest(self, audit_id: str) -> str:
        """Of everything that was computed: every stored row, and the results without the audit's own id."""
        columns = "model_ordinal, ordinal, sample_id, scores, controls, undefined, predicted, class_scores, pairs, maps"
        order = "ORDER BY model_ordinal, ordinal"
        rows = self.query(f"SELECT {columns} FROM sample_scores WHERE audit_id = %s {order}", audit_id)
        results = self.client.get(f"/v1/audits/{audit_id}/results").json()
        text = json.dumps([repr(rows), {name: value for name, value in results.items() if name != "audit_id"}])
        return hashlib.sha256(text.encode()).hexdigest()

    def crashes(self, kind: str) -> float:
        """As the metrics count them."""
        name = f'salience_audit_shard_crashes_total{{kind="{kind}"}} '
        lines = self.client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith(name)).removeprefix(name))

    def query(self, statement: str, *values: Any) -> list[Any]:
        with psycopg.connect(self.database_url.replace("+psycopg", "")) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def administer(self, statement: str) -> None:
        """Outside of any transaction."""
        with psycopg.connect(self.database_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _environment(self) -> dict[str, str]:
        blobs = str(self.folder / "blobs")
        servers = self.servers
        places = {"DATABASE_URL": servers.postgres.url, "BROKER_URL": servers.broker.url, "BLOB_STORE": blobs}
        # Runs that are compared must not share what they computed.
        return places | {"REUSE_CLEAN_MAPS": "false"}
