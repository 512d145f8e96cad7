"""The supervisor, with small programs as children."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import supervisor as supervisor_module
from app.embedded.process import ChildSpec
from app.embedded.supervisor import Supervisor
from app.errors import Unavailable


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """The supervisor takes SIGINT and SIGTERM for itself."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def spec(folder: Path, name: str, script: str, *, stop_seconds: float = 60.0) -> ChildSpec:
    """A Python child that is ready once it has written ``NAME.ready``."""
    ready = folder / f"{name}.ready"
    preface = f"import os, pathlib, signal, subprocess, sys, time; ready = pathlib.Path({str(ready)!r})\n"
    command = (sys.executable, "-c", preface + script)
    return ChildSpec(
        name=name, command=command, log=folder / f"{name}.log", ready=ready.exists, stop_seconds=stop_seconds
    )


def gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def run(folder: Path, *specs: ChildSpec) -> None:
    with Supervisor() as supervisor:
        for child in specs:
            supervisor.start(child)
        supervisor.watch(folder / "pids")


def test_a_child_that_ends_again_and_again_ends_all_with_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_module, "WITHIN_SECONDS", 600)  # of a slow machine, six starts take long
    first = spec(tmp_path, "first", "ready.write_text(str(os.getpid())); time.sleep(60)")
    second = spec(tmp_path, "second", "ready.touch(); time.sleep(0.1); sys.exit('the reason')")
    with pytest.raises(Unavailable, match=r"second ended again and again.\n(.*\n)*the reason"):
        run(tmp_path, first, second)
    assert gone(int((tmp_path / "first.ready").read_text()))


def test_a_child_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"only did not start.\n(.*\n)*the reason"):
        run(tmp_path, spec(tmp_path, "only", "sys.exit('the reason')"))


def test_children_stop_in_reverse_order(tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"""
def end(*_):
    with open({str(order)!r}, 'a') as file: file.write(NAME + ' ')
    sys.exit(0)
signal.signal(signal.SIGTERM, end); ready.touch(); time.sleep(60)
"""
    with Supervisor() as supervisor:
        for name in ("one", "two", "three"):
            supervisor.start(spec(tmp_path, name, script.replace("NAME", repr(name))))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM)).start()
        supervisor.watch(tmp_path / "pids")
    assert order.read_text().split() == ["three", "two", "one"]
    assert not (tmp_path / "pids").exists()


def test_a_deaf_child_is_killed_with_its_own_children(tmp_path: Path) -> None:
    script = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen(['sleep', '600']); ready.with_suffix('.below').write_text(str(below.pid))
ready.touch(); time.sleep(600)
"""
    with Supervisor() as supervisor:
        supervisor.start(spec(tmp_path, "deaf", script, stop_seconds=0.5))
        pids = [supervisor.pids()["deaf"], int((tmp_path / "deaf.below").read_text())]
        begun = time.monotonic()
    assert time.monotonic() - begun < 120
    deadline = time.monotonic() + 120
    while not all(map(gone, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
