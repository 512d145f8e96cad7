"""Where the kernel lacks a layer of the sandbox, the worker says so and does not run, unless it is allowed to."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from app.doctor.machine import judge_sandbox
from app.domain.vocabulary import SandboxLayer
from app.errors import TransientFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.sandbox.attackers import attack, settings
from tests.sandbox.old_kernel import without_landlock
from tests.waiting import PATIENCE_SECONDS, until
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess

ATTACKS = (("read", "/etc/passwd"), ("socket",), ("signal_by_file",))


def start(
    *command: str,
    kernel: Callable[[], None] | None = without_landlock,
    log: Path,
    environment: dict[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | (environment or {}),
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=kernel,  # noqa: PLW1509 - nothing but system calls
        )


@pytest.fixture
def parts(database_url: str, broker_url: str, tmp_path: Path) -> dict[str, str]:
    places = {"DATABASE_URL": database_url, "BROKER_URL": broker_url, "BLOB_STORE": str(tmp_path / "blobs")}
    return places | {"DEVICE": "cpu", "LOG_FORMAT": "json"}


def test_the_worker_does_not_start(parts: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = start("-m", "app.cli", "worker", log=log, environment=parts)
    assert worker.wait(PATIENCE_SECONDS) == 1
    (line,) = (line for line in map(json.loads, log.read_text().splitlines()) if line["level"] == "CRITICAL")
    for words in ("sandbox-unavailable", "landlock (", "ALLOW_MISSING_SANDBOX_LAYERS=landlock"):
        assert words in line["message"]
    assert "seccomp (" not in line["message"]


def test_it_starts_where_the_operator_allows_it(parts: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker = start("-m", "app.cli", "worker", log=log, environment=parts | {"ALLOW_MISSING_SANDBOX_LAYERS": "landlock"})
    try:
        until(lambda: "models run without the sandbox layer landlock" in log.read_text())
        until(lambda: "ready" in log.read_text())
        assert worker.poll() is None
    finally:
        worker.terminate()
        worker.wait(PATIENCE_SECONDS)


def test_a_child_does_not_run_without_it_either_and_where_it_may_the_other_layers_stand(tmp_path: Path) -> None:
    """In a fork of this process: to import all that it has takes eight seconds."""
    with ProcessPoolExecutor(1, get_context("fork"), initializer=without_landlock) as old:
        refused, files, network, signals = old.submit(attacked, str(tmp_path)).result()
    assert refused.startswith("sandbox-unavailable: The sandbox layer landlock cannot be set up")
    assert files == "done"
    for said in (network, signals):
        assert "Operation not permitted" in said


def attacked(blobs: str) -> list[str]:
    """What a child says that may not lack the layer, and then one that may."""
    said = []
    with closing(Forkserver()) as forkserver:
        for allowed in ("", "landlock"):
            limits = settings(allow_missing_sandbox_layers=allowed, blob_store=blobs)
            child = ChildProcess(limits, forkserver)
            try:
                said += [attack(child, BlobStore.from_settings(limits), *names) for names in ATTACKS]
            except TransientFailure as refused:
                said.append(str(refused))
            child.kill()
    return said


def test_the_doctor_says_so(parts: dict[str, str], tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ("-m", "app.cli", "doctor", "--json", "--data", str(tmp_path))
    start(*command, log=log, environment=parts | {"ALLOW_MISSING_SANDBOX_LAYERS": "seccomp"}).wait(PATIENCE_SECONDS)
    text = log.read_text()
    findings = {finding["check"]: finding for finding in json.loads(text[text.index("{") :])["findings"]}
    assert findings["sandbox"]["verdict"] == "fail"
    assert "landlock (" in findings["sandbox"]["detail"]


@pytest.mark.parametrize(("allowed", "verdict"), [("", "fail"), ("seccomp", "fail"), ("landlock, limits", "warn")])
def test_the_doctors_verdict_is_the_operators(allowed: str, verdict: str) -> None:
    finding = judge_sandbox(Settings(allow_missing_sandbox_layers=allowed), {"landlock": "an old kernel"})
    assert finding.verdict == verdict
    assert "landlock (an old kernel)" in finding.detail


def test_unknown_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="allow_missing_sandbox_layers"):
        Settings(allow_missing_sandbox_layers="moat")


@pytest.mark.parametrize("command", [("serve", "--only", "api", "--port", "0"), ("worker",), ("serve", "--port", "0")])
def test_nothing_starts_while_torch_loads_whatever_a_file_says(command: tuple[str, ...], tmp_path: Path) -> None:
    log = tmp_path / "log"
    data = ("--data", str(tmp_path / "data")) if command[0] == "serve" else ()
    arguments = ("-m", "app.cli", *command, *data)
    forced = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    assert start(*arguments, log=log, kernel=None, environment=forced).wait(PATIENCE_SECONDS) == 2
    assert "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD" in log.read_text()
    assert "Traceback" not in log.read_text()


def test_the_old_name_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOW_MISSING_WALLS", "landlock, limits")
    assert Settings().allow_missing_sandbox_layers == {SandboxLayer.LANDLOCK, SandboxLayer.LIMITS}
    monkeypatch.setenv("ALLOW_MISSING_SANDBOX_LAYERS", "seccomp")
    assert Settings().allow_missing_sandbox_layers == {SandboxLayer.SECCOMP}
