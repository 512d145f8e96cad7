"""``salience-audit`` as a process of its own, against the running service, in a tenant that the tests have alone."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from salience_audit import Client
from tests import forked
from tests.commands.guides import ROOT, WALK, commands_of
from tests.conftest import OWN

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
        done = forked.run(arguments, self.environment | variables)
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [*PROGRAM, *arguments]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def made(self, *arguments: str) -> Json:
        """The document of a command that does what it should."""
        document: Json = self._document(*arguments)
        return document

    def listed(self, *arguments: str) -> list[Json]:
        """The same of a command that lists."""
        documents: list[Json] = self._document(*arguments)
        return documents

    def _document(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.status == 0, done.err
        return done.json


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


@dataclass(frozen=True)
class Checkout:
    """A folder that looks like a checkout of the repository, whose commands are those under test."""

    folder: Path
    commands: Commands

    def run(self, *program: str, text: str) -> str:
        """What a program prints that gets this text and does what it should."""
        environment = self.commands.environment | {
            "PYTHONPATH": str(ROOT),
            "PATH": f"{self.folder}/.venv/bin:/usr/bin:/bin",
        }
        done = subprocess.run(
            program, input=text, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def checkout(cli: Commands, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "small.json").write_text(json.dumps(PROTOCOL))
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in (("python", ""), ("salience-audit", "-m app.cli")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (programs / name).chmod(0o755)
    return Checkout(folder, cli)


@pytest.fixture(scope="session")
def walked(checkout: Checkout) -> str:
    """What the README's walk prints: it leaves behind a data set, two models, a gate and two audits."""
    return checkout.run("bash", "-e", text=commands_of(WALK))


@pytest.fixture(scope="session")
def client(cli: Commands, walked: str) -> Iterator[Client]:
    """Reads what the commands made, in less time than they."""
    named = (cli.environment[f"SALIENCE_AUDIT_{name}"] for name in ("URL", "API_KEY"))
    with Client(*named) as client:
        yield client
