"""A copy of the code with what the recipes add, and the real service started in it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prepare import build_archive

from salience_audit import Client
from tests.recipes.following import copied, follow
from tests.waiting import PATIENCE_SECONDS, until

SERVED = ("A measure", "A deformation", "An upload format", "A resource")


@pytest.fixture(scope="package")
def tree(open_folder: Path) -> Path:
    """All of these recipes in one copy: they do not get in each other's way."""
    copy = copied(open_folder / "tree", ("app", "worker", "alembic"))
    for name in SERVED:
        follow(copy, name)
    return copy


@pytest.fixture(scope="package")
def environment(tree: Path) -> dict[str, str]:
    """In which Python takes our modules from the copy."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "BROKER_URL"}}
    return kept | {"PYTHONPATH": str(tree)}


@pytest.fixture(scope="package")
def client(tree: Path, environment: dict[str, str]) -> Iterator[Client]:
    data = tree / "data"
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(command, env=environment, cwd=tree, stdout=subprocess.DEVNULL)
    try:
        until(lambda: (data / "server.json").exists() or process.poll() is not None)
        found = json.loads((data / "server.json").read_text())
        with Client(found["url"], found["api_key"]) as client:
            yield client
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="package")
def faces(client: Client) -> dict[str, Any]:
    return client.push_dataset(build_archive(), name="faces")
