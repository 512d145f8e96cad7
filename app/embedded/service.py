"""``salience-audit serve`` as one command: Postgres, Valkey, migration, API and worker in one data folder."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.access.secret import own_encryption_keys
from app.access.startup import is_loopback, open_entrance
from app.db.migrations import migrate
from app.db.session import make_engine
from app.embedded.ports import accepts, free_port
from app.embedded.postgres import EmbeddedPostgres
from app.embedded.process import ChildSpec
from app.embedded.supervisor import Supervisor
from app.embedded.valkey import EmbeddedValkey
from app.errors import SalienceError
from app.server_file import PartsFile, ServerFile, settings_of
from app.settings import get_settings, named_in_environment


def run_service(host: str, port: int, data: Path) -> int:
    """Until SIGINT or SIGTERM; the exit status is 0 unless a part could not be started or kept alive."""
    try:
        with _locked(data), Supervisor() as supervisor:
            environment = _start_servers(supervisor, data)
            PartsFile(data).write(environment)
            open_entrance(settings_of(data), host, data)
            api = _api(host, port or free_port(), data, environment)
            supervisor.start(api)
            supervisor.start(_worker(data, environment))
            sys.stdout.write(_greeting(ServerFile(data)))
            sys.stdout.flush()
            supervisor.watch(data / "pids")
    except SalienceError as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0


def _greeting(file: ServerFile) -> str:
    """With the key for Swagger UI's "Authorize"; a terminal is no log."""
    found = file.read()
    key = found["api_key"] if sys.stdout.isatty() else f"the api_key in {file.path}"
    url, data = found["url"], file.path.parent
    return f"Salience audit runs at {url}; Swagger UI: {url}/docs, authorize with {key}; data: {data}\n"


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """One service a data folder. Only its owner may say, or take back, where it runs."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SalienceError("data-in-use", f"Another service uses {data}.") from None
        _forget(data)  # what a killed service left behind
        try:
            yield
        finally:
            _forget(data)


def _forget(data: Path) -> None:
    (data / "pids").unlink(missing_ok=True)
    ServerFile(data).remove()
    PartsFile(data).remove()


def _start_servers(supervisor: Supervisor, data: Path) -> dict[str, str]:
    """What the environment names is used; what it does not is started. Returns the parts' environment."""
    environment = {"BLOB_STORE": os.environ.get("BLOB_STORE", str(data / "blobs"))}
    named = get_settings()
    if named_in_environment("DATABASE_URL"):
        environment["DATABASE_URL"] = named.database_url
    else:
        postgres = EmbeddedPostgres(data / "postgres")
        supervisor.start(postgres.child(data / "logs" / "postgres.log"))
        environment["DATABASE_URL"] = postgres.url
    if named_in_environment("BROKER_URL"):
        environment["BROKER_URL"] = named.broker_url
    else:
        valkey = EmbeddedValkey(data / "valkey")
        supervisor.start(valkey.child(data / "logs" / "valkey.log"))
        environment["BROKER_URL"] = valkey.url
    environment["ENCRYPTION_KEYS"] = named.encryption_keys or own_encryption_keys(data)
    engine = make_engine(environment["DATABASE_URL"])
    migrate(engine)
    engine.dispose()
    return environment


def _api(host: str, port: int, data: Path, environment: dict[str, str]) -> ChildSpec:
    arguments = ("serve", "--only", "api", "--host", host, "--port", str(port), "--data", str(data))
    found = ServerFile(data)
    if not named_in_environment("PUBLIC_URL") and is_loopback(host):
        environment = environment | {"PUBLIC_URL": f"http://{host}:{port}"}
    return ChildSpec(
        name="api",
        command=(sys.executable, "-m", "app.cli", *arguments),
        log=data / "logs" / "api.log",
        ready=lambda: found.path.exists() and accepts(port),
        environment=environment,
    )


def _worker(data: Path, environment: dict[str, str]) -> ChildSpec:
    return ChildSpec(
        name="worker",
        command=(sys.executable, "-m", "app.cli", "worker"),
        log=data / "logs" / "worker.log",
        # Messages wait in the broker until it has loaded torch; nobody needs to wait for that.
        ready=lambda: True,
        environment=environment,
        stop_seconds=5.0,
    )
