"""The process of `elsewhere.py`, asked for a round at a time."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.waiting import PATIENCE_SECONDS

_PROGRAM = Path(__file__).with_name("elsewhere.py")


class Elsewhere:
    """One process for all rounds: to import torch takes seconds of processor time."""

    def __init__(self, recipe: Path) -> None:
        command = [sys.executable, str(_PROGRAM), str(recipe)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._process.communicate(timeout=PATIENCE_SECONDS)
        assert self._process.returncode == 0

    def explain(self, networks: Sequence[tuple[Path, Path, Path]]) -> None:
        """Of each network its images, its weights and the folder for its maps."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(map(str, paths)) for paths in networks]) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"
