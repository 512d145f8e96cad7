"""``salience-audit`` as a process of its own, against the running service, in a tenant that the tests have alone."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from prepare import build_archive

from tests.conftest import OWN
from tests.waiting import WEIGHTS

Json = dict[str, Any]

PROTOCOL: Json = {"micro_batch": 4, "measures": {"entropy": {}, "noise_reaction": {"curve": []}}}
SAMPLES = "6"
PROGRAM = [sys.executable, "-m", "app.cli"]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output is one document and nothing else."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Commands:
    """Runs commands with these variables in place of whatever the machine's owner has configured."""

    environment: dict[str, str] = field(repr=False)

    def __call__(self, *arguments: str, **variables: str) -> Done:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            env=self.environment | variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [*PROGRAM, *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def made(self, *arguments: str) -> Json:
        """The document of a command that does what it should."""
        done = self(*arguments, "--json")
        assert done.status == 0, done.err
        document: Json = done.json
        return document


@pytest.fixture(scope="session")
def in_tenant(service: httpx.Client, open_folder: Path) -> Callable[[str], Commands]:
    """Commands with a key of a tenant of that name."""

    def commands(tenant: str) -> Commands:
        kept = {name: value for name, value in os.environ.items() if name not in OWN}
        nowhere = str(open_folder / "nowhere")
        keys = Commands(kept)(
            "keys", "create", "--tenant", tenant, "--scope", "audit:write", "--data", str(open_folder / "service")
        )
        assert keys.status == 0, keys.err
        named = {"SALIENCE_AUDIT_URL": str(service.base_url), "SALIENCE_AUDIT_API_KEY": keys.out.strip()}
        return Commands(kept | named | {"XDG_CONFIG_HOME": nowhere, "SALIENCE_AUDIT_DATA": nowhere, "COLUMNS": "200"})

    return commands


@pytest.fixture(scope="session")
def cli(in_tenant: Callable[[str], Commands]) -> Commands:
    return in_tenant("commands")


@pytest.fixture(scope="session")
def protocol(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("protocol") / "small.json"
    path.write_text(json.dumps(PROTOCOL))
    return str(path)


@pytest.fixture(scope="session")
def faces(cli: Commands, tmp_path_factory: pytest.TempPathFactory) -> Json:
    archive = tmp_path_factory.mktemp("faces") / "faces.zip"
    archive.write_bytes(build_archive())
    return cli.made("datasets", "push", str(archive))


@pytest.fixture(scope="session")
def run1(cli: Commands) -> Json:
    """Described by options alone."""
    described = {
        "--name": "run 1",
        "--architecture": "shufflenet_v2_x0_5",
        "--class-names": "face,non_face",
        "--input-size": "224",
        "--mean": "0.485,0.456,0.406",
        "--std": "0.229,0.224,0.225",
    }
    options = [part for option in described.items() for part in option]
    return cli.made("models", "push", str(WEIGHTS / "cross_entropy_run1.safetensors"), *options)


@pytest.fixture(scope="session")
def run2(cli: Commands) -> Json:
    """Described by a file."""
    recipe = str(WEIGHTS.parent / "recipe.json")
    return cli.made("models", "push", str(WEIGHTS / "human_guided_run1.safetensors"), "--description", recipe)


@pytest.fixture(scope="session")
def audit(cli: Commands, faces: Json, run1: Json, protocol: str) -> Json:
    options = ("--dataset", "faces", "--model", "run 1", "--protocol", protocol, "--sample-limit", SAMPLES)
    return cli.made("audits", "run", *options, "--name", "before", "--wait")
