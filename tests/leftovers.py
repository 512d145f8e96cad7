"""What a running service has besides its answers: files, rows, processes, memory."""

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import psycopg

ADDED_BYTES = 90 * 1024**2
"""What any file may add to the API's memory; a fresh API has 210 MB, and keeps below 300 with it."""
TABLES = ("models", "datasets", "samples")
SCRATCH = "salience-audit-child-"
MARKS = ("ping", "owner")
_RESET_PEAK = "5"


class Traces(NamedTuple):
    """Of everything that was ever sent; ``children`` are those that work, not those that wait for a shard."""

    files: frozenset[Path]
    rows: tuple[int, ...]
    scratch: frozenset[Path]
    children: frozenset[int]


@contextmanager
def nothing_left(data: Path) -> Iterator[None]:
    """Of what happens in the block, by the service of this folder; nor does its API take much more memory meanwhile."""
    api = next(process for process in _processes(data) if {"--only", "api"} <= set(_command(process)))
    before = _traces(data)
    Path(f"/proc/{api.pid}/clear_refs").write_text(_RESET_PEAK)
    resident = _peak_bytes(api)
    yield
    deadline = time.monotonic() + 120
    while _left(data, before) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _left(data, before) == []
    assert _peak_bytes(api) - resident < ADDED_BYTES


def _left(data: Path, before: Traces) -> list[object]:
    """What was not there before; what was there may have gone, since the service goes on with earlier work."""
    now = _traces(data)
    more = [*(now.files - before.files), *(now.scratch - before.scratch), *(now.children - before.children)]
    return [*more, *([now.rows, before.rows] if now.rows != before.rows else [])]


def _traces(data: Path) -> Traces:
    children = {process: _folder_of(process) for process in _processes(data)}
    at_work = {process for process in children if SCRATCH in children[process] and not _waits(process)}
    kept = {Path(folder) for process, folder in children.items() if process not in at_work}
    return Traces(
        files=frozenset(path for path in (data / "blobs").rglob("*") if path.is_file() and path.name not in MARKS),
        rows=_rows(data),
        scratch=frozenset((data.parent / "tmp").glob(f"{SCRATCH}*")) - kept,
        children=frozenset(process.pid for process in at_work),
    )


def _waits(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return bool(process.status() == psutil.STATUS_STOPPED)
    return True


def _processes(data: Path) -> list[psutil.Process]:
    """The service's own, wherever they are below it."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if str(data) in process.cmdline() and "serve" in process.cmdline():
                found += [process, *process.children(recursive=True)]
    return list(dict.fromkeys(found))


def _command(process: psutil.Process) -> list[str]:
    """Of one that has ended since it was listed: nothing."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        return process.cmdline()
    return []


def _folder_of(process: psutil.Process) -> str:
    try:
        return process.cwd()
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return ""


def _rows(data: Path) -> tuple[int, ...]:
    url = json.loads((data / "parts.json").read_text())["DATABASE_URL"].replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        counts = (connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in TABLES)
        return tuple(count[0] for count in counts if count)


def _peak_bytes(process: psutil.Process) -> int:
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
