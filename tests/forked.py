"""``salience-audit`` in forks of one process that has imported it: an API's imports take two seconds of processor time,
a fork none of them.

That it starts by itself, with no more than it imports, is for the tests of `serve`, of Compose's commands and of pages.
"""

import atexit
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from subprocess import CompletedProcess
from tempfile import TemporaryDirectory

from app.cli import main
from tests.waiting import PATIENCE_SECONDS

_CONTEXT = get_context("forkserver")
_NOUNS = ("audits", "dataset_uploads", "gates", "keys", "map_set_uploads", "model_uploads", "run_groups", "tenants")
_CONTEXT.set_forkserver_preload(
    [
        "app.access.startup",
        "app.doctor.preflight",
        "app.http.server",
        "app.main",
        *(f"app.commands.{noun}" for noun in _NOUNS),
        __name__,
    ]
)


def start(arguments: Sequence[str], environment: Mapping[str, str], out: Path | None = None) -> BaseProcess:
    """It ends with this process at the latest. What it writes goes where ours goes, or into the folder ``out``."""
    process = _CONTEXT.Process(target=_run, args=(arguments, dict(environment), out), daemon=True)
    process.start()
    return process


def run(arguments: Sequence[str], environment: Mapping[str, str]) -> "CompletedProcess[str]":
    """How it ended, and what it wrote."""
    with TemporaryDirectory(prefix="salience-audit-command-") as name:
        folder = Path(name)
        process = start(arguments, environment, folder)
        process.join(PATIENCE_SECONDS)
        assert process.exitcode is not None, "it goes on"
        written = [(folder / stream).read_text(encoding="utf-8") for stream in _STREAMS]
        return CompletedProcess(arguments, process.exitcode, *written)


_STREAMS = {"out": 1, "err": 2}


def _run(arguments: Sequence[str], environment: dict[str, str], out: Path | None) -> None:
    """As the entry point does; multiprocessing leaves out what is to be done at the end of a process."""
    if out is not None:
        for name, descriptor in _STREAMS.items():
            with (out / name).open("wb") as file:
                os.dup2(file.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["salience-audit", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()
