"""The compose file and the Dockerfile, without an engine: the real Compose reads one, hadolint the other, and every
service's own command runs against the embedded servers."""

import json
import os
import re
import subprocess
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, create_engine, text

from app.embedded.ports import accepts, free_port
from app.settings import Settings, secret_settings
from tests.waiting import PATIENCE_SECONDS, until

REPOSITORY = Path(__file__).resolve().parents[2]
MADE_BY_COMPOSE = {"DATABASE_URL", "BROKER_URL", "POSTGRES_PASSWORD", "BROKER_PASSWORD"} | {
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"  # nothing starts with it
}
SECRETS = {"POSTGRES_PASSWORD": "one", "BROKER_PASSWORD": "two", "API_KEY_SECRET": "three" * 7}


def compose(*arguments: str, secrets: dict[str, str] = SECRETS) -> subprocess.CompletedProcess[str]:
    spec = find_spec("compose")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    binary = Path(next(iter(spec.submodule_search_locations))) / "docker-compose"
    environment = {"PATH": os.environ["PATH"], "HOME": "/tmp", **secrets}
    command = [str(binary), "--profile", "gpu", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    answer = compose("config", "--format", "json")
    assert answer.returncode == 0, answer.stderr
    services: dict[str, Any] = json.loads(answer.stdout)["services"]
    return services


def test_compose_accepts_the_file() -> None:
    answer = compose("config", "--quiet")
    assert (answer.returncode, answer.stderr) == (0, "")


def test_compose_refuses_to_start_without_passwords() -> None:
    answer = compose("config", "--quiet", secrets={})
    assert answer.returncode != 0
    assert "set it in .env" in answer.stderr


def test_every_service_is_hardened(services: dict[str, Any]) -> None:
    assert set(services) == {"postgres", "valkey", "migrate", "api", "worker", "worker-gpu"}
    for name, service in services.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert service["user"].split(":")[0] not in {"0", "root"}, name
        assert name == "migrate" or service["healthcheck"]["test"], name
    assert services["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert services["api"]["build"]["target"] == services["migrate"]["build"]["target"] == "api"


def test_every_setting_arrives() -> None:
    """Of those that the page names, whatever .env says; and of every secret, the file that it may stand in."""
    chosen = {name.upper(): f"chosen-{name}" for name in Settings.model_fields} | SECRETS
    files = {f"{name}_FILE": f"/run/secrets/{name}" for name in secret_settings()}
    found = json.loads(compose("config", "--format", "json", secrets=chosen | files).stdout)["services"]
    passed = found["worker"]["environment"] | found["api"]["environment"]
    for name, value in (chosen | files).items():
        if name not in MADE_BY_COMPOSE:
            assert passed[name] == value, name
    assert passed.keys() >= {"DATABASE_URL", "BROKER_URL"}
    assert found["worker"]["environment"].keys() == found["worker-gpu"]["environment"].keys()
    assert "API_KEY_SECRET" not in found["worker"]["environment"]


def test_what_is_not_set_is_left_out(services: dict[str, Any]) -> None:
    environment = services["worker"]["environment"]
    assert {name for name, value in environment.items() if value is not None} == {
        "DATABASE_URL",
        "BROKER_URL",
        "BLOB_STORE",
    }


def test_images_are_pinned_and_containers_limited(services: dict[str, Any]) -> None:
    for name, service in services.items():
        if "image" in service:
            assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?", service["image"]), name
        assert int(service["mem_limit"]) > 0, name
        assert service["cpus"] > 0, name
        assert service["pids_limit"] > 0, name
    images = re.findall(r"^FROM (\S+)", (REPOSITORY / "Dockerfile").read_text(), re.MULTILINE)
    assert [image for image in images if ":" in image] == ["python:3.11.14-slim-bookworm"]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    answer = subprocess.run([hadolint, REPOSITORY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (0, "")


class Composed:
    """The services' own commands, as Compose would start them, against the embedded servers."""

    def __init__(self, services: dict[str, Any], folder: Path, **parts: str) -> None:
        self.port = free_port()
        self._services, self._folder = services, folder
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "BLOB_STORE": str(folder / "blobs"),
            "API_KEY_SECRET": services["api"]["environment"]["API_KEY_SECRET"],
        }
        self.options: dict[str, Any] = {"env": environment | parts, "cwd": REPOSITORY}

    def command(self, name: str) -> list[str]:
        own = self._services[name]["command"]
        return [str(self.port) if part == "8000" else part.replace("/tmp", str(self._folder)) for part in own]

    def is_healthy(self, name: str) -> bool:
        own = self._services[name]["healthcheck"]["test"][1:]
        check = [part.replace(":8000/", f":{self.port}/") for part in own]
        return subprocess.run(check, **self.options, capture_output=True, check=False).returncode == 0


def test_the_services_commands_run(
    services: dict[str, Any], database_url: str, broker_url: str, tmp_path: Path
) -> None:
    """Each as Compose would start it, in its order, until its own health check passes."""
    engine = _emptied(database_url)
    composed = Composed(services, tmp_path, DATABASE_URL=database_url, BROKER_URL=broker_url)
    subprocess.run(composed.command("migrate"), **composed.options, check=True)
    assert _scalar(engine, "SELECT count(*) FROM audits") == 0
    options = composed.options | {"capture_output": True, "timeout": 240}
    without_keys = subprocess.run(composed.command("api"), **options, check=False)
    assert without_keys.returncode == 1
    assert b"There are no API keys" in without_keys.stderr
    make_key = ["salience-audit", "keys", "create", "--tenant", "default", "--scope", "audit:write"]
    made = subprocess.run(make_key, **options, check=True)
    headers = {"Authorization": f"Bearer {made.stdout.decode().strip()}"}
    children = [subprocess.Popen(composed.command(name), **composed.options) for name in ("api", "worker")]
    try:
        # A check is a process of its own, so that none is asked before there is something to find.
        until(lambda: accepts(composed.port))
        until(lambda: _scalar(engine, "SELECT count(*) FROM workers"))
        for name in ("api", "worker"):
            until(partial(composed.is_healthy, name))
        with httpx.Client(base_url=f"http://127.0.0.1:{composed.port}", timeout=PATIENCE_SECONDS) as client:
            until(lambda: client.get("/readyz").json() == {"status": "ok"})
            assert client.get("/v1/audits", headers=headers).json()["items"] == []
            _check_that_strangers_are_told_nothing(client)
    finally:
        for child in children:
            child.terminate()
        assert [child.wait(PATIENCE_SECONDS) for child in children] == [0, 0]
        engine.dispose()


def _emptied(database_url: str) -> Engine:
    """As Postgres' own image leaves a database, for the first migration."""
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    return engine


def _check_that_strangers_are_told_nothing(client: httpx.Client) -> None:
    """Of an API that others than this machine reach."""
    for path, status in {"/v1/audits": 401, "/metrics": 401, "/docs": 404, "/openapi.json": 404}.items():
        assert client.get(path).status_code == status


def _scalar(engine: Engine, query: str) -> Any:
    with engine.connect() as connection:
        return connection.execute(text(query)).scalar()
