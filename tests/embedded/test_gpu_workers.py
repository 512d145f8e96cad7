"""``salience-audit worker --gpus``: which GPUs, one process each, replaced and stopped; without GPUs a clear no.

The program ``nvidia-smi`` is stood in for by a script that prints as it does: the machine that tests need not have one.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from app.db.tables import WorkerRow
from app.embedded.gpu_workers import choose_gpus
from app.errors import SalienceError
from tests.waiting import PATIENCE_SECONDS

PRESENT = [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("wanted", "chosen"), [("all", PRESENT), ("1", [0]), ("2", [0, 1]), ("4", PRESENT), ("1,3", [1, 3]), ("2,", [2])]
)
def test_which(wanted: str, chosen: list[int]) -> None:
    assert choose_gpus(wanted, PRESENT) == chosen


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        *((words, "gpus-not-understood") for words in ("", "some", "-1", "0,x", "1,1", "1,01", ",", "0,,1")),
        *((words, "no-gpu") for words in ("0", "5", "0,4", "4,")),
    ],
)
def test_refused(wanted: str, code: str) -> None:
    with pytest.raises(SalienceError) as caught:
        choose_gpus(wanted, PRESENT)
    assert caught.value.code == code


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "app.cli", "worker", "--gpus", *arguments]


def with_driver(folder: Path, script: str) -> dict[str, str]:
    """The environment of a machine whose nvidia-smi does this."""
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return os.environ | {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.mark.parametrize("script", ["exit 9", "echo 'No devices were found'", "echo; exit 0"])
def test_no_gpus_are_told(tmp_path: Path, script: str) -> None:
    environment = with_driver(tmp_path, script)
    answer = subprocess.run(
        command("all"), env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )
    assert (answer.returncode, answer.stdout) == (1, "")
    assert answer.stderr.startswith("There is no GPU here that nvidia-smi can see")
    assert "Traceback" not in answer.stderr


def children(pid: int) -> dict[str, int]:
    """GPU number -> process, as the kernel knows them."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        # The kernel shows nobody but root the environment of one that is ending.
        with suppress(ProcessLookupError, FileNotFoundError, PermissionError):
            lines = Path(f"/proc/{child}/environ").read_bytes().decode().split("\0")
            environment = dict(line.split("=", 1) for line in lines if "=" in line)
            if environment.get("DEVICE") == "cuda":  # else it is about to become a worker
                found[environment["CUDA_VISIBLE_DEVICES"]] = int(child)
    return found


def until(condition: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_process_a_gpu(database_url: str, broker_url: str, tmp_path: Path) -> None:
    servers = {"DATABASE_URL": database_url, "BROKER_URL": broker_url, "BLOB_STORE": str(tmp_path / "blobs")}
    environment = with_driver(tmp_path, r"printf '0\n1\n2\n'") | servers
    engine = create_engine(database_url)

    def announced() -> set[tuple[str, str]]:
        with engine.connect() as connection:
            rows = connection.execute(select(WorkerRow.name, WorkerRow.device_class)).all()
        return {(name.rpartition("/")[2], device_class) for name, device_class in rows}

    process = subprocess.Popen(command("0,2"), env=environment)
    try:
        until(lambda: len(children(process.pid)) == 2, process)
        first = children(process.pid)
        assert first.keys() == {"0", "2"}
        until(lambda: announced() == {(str(pid), "gpu") for pid in first.values()}, process)
        os.kill(first["2"], signal.SIGKILL)
        until(lambda: children(process.pid).get("2", first["2"]) != first["2"], process)
        second = children(process.pid)
        assert second["0"] == first["0"]
        until(lambda: (str(second["2"]), "gpu") in announced(), process)
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in second.values())
    finally:
        process.kill()
        process.wait()
        engine.dispose()
