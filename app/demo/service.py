"""``salience-audit serve`` as a process of its own, for programs that need a service for a while."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

START_SECONDS = 120


class DemoFailed(Exception):
    """A step of the demo did not end well."""


@contextmanager
def running_service(data: Path, settings: Mapping[str, str] | None = None) -> Iterator[tuple[str, str | None]]:
    """Its address and key, on a free port, until the block ends. Raises DemoFailed where it does not start.

    ``settings`` go into its environment.
    """
    found = data / "server.json"
    found.unlink(missing_ok=True)
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(data)]
    environment = {key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "BROKER_URL"}}
    environment |= settings or {}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(found, process)
        document = json.loads(found.read_text(encoding="utf-8"))
        yield document["url"], document["api_key"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(found: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while not found.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed(f"The service did not start; its logs lie in {found.parent / 'logs'}.")
        time.sleep(0.1)
