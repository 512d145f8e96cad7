"""A part of ``make gpu`` that runs over its limit leaves nothing behind."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from benchmarks import limited
from tests.waiting import until

SERVER = "import subprocess, sys; print(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid, flush=True)"
STUBBORN = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SERVER}; time.sleep(1000)"
IN_ORDER = (
    f"import signal, time; signal.signal(signal.SIGTERM, lambda *_: open('ended', 'w')); {SERVER}; signal.pause()"
)


@pytest.mark.parametrize("code", [STUBBORN, IN_ORDER])
def test_what_it_started_ends_with_it(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a session of its own, and where the part does not hear that it is asked to end."""
    monkeypatch.setattr(limited, "GRACE_SECONDS", 1.0)
    command = [sys.executable, "-c", code]
    part = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=tmp_path)
    assert part.stdout is not None
    server = psutil.Process(int(part.stdout.readline()))
    limited.end(part)
    assert part.returncode is not None
    until(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    assert (tmp_path / "ended").exists() == (code == IN_ORDER)


def test_a_limit_that_is_passed_and_one_that_is_kept() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        limited.run_within(["sleep", "1000"], 0.1)
    assert limited.run_within(["echo", "done"], 60).stdout == "done\n"
