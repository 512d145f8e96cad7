"""Which walls this kernel lacks: found out by a short process that puts them all up around itself."""

import json
import subprocess
import sys
from pathlib import Path

from app.domain.vocabulary import Wall
from worker.sandbox.walls import Builder

_SECONDS = 60
_FILE_BYTES = 1024
_MEMORY_BYTES = 1024**3
_ROOT = Path(__file__).resolve().parents[2]


class SandboxUnavailable(Exception):
    """Models cannot be run behind walls here. ``code`` as problems name it."""

    code = "sandbox-unavailable"


def missing_walls() -> dict[Wall, str]:
    """Each with the reason that the kernel gives."""
    program = "import sys; sys.path[:] = sys.argv[1:]; from worker.sandbox.survey import main; main()"
    command = [sys.executable, "-I", "-c", program, *sys.path, str(_ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"the survey ended with status {done.returncode}"])[-1]
        return dict.fromkeys(Wall, why)
    return {Wall(name): why for name, why in json.loads(done.stdout).items()}


def require_walls(allowed: frozenset[Wall]) -> dict[Wall, str]:
    """The walls that are missing, all of them allowed to be. Raises SandboxUnavailable."""
    missing = missing_walls()
    needed = {wall: why for wall, why in missing.items() if wall not in allowed}
    if needed:
        walls = "; ".join(f"{wall} ({why})" for wall, why in needed.items())
        names = ",".join(sorted(missing))
        raise SandboxUnavailable(
            f"{SandboxUnavailable.code}: this system lacks {walls}. Models are not run without these walls unless "
            f"ALLOW_MISSING_WALLS={names} says so."
        )
    return missing


def main() -> None:
    """In the short process."""
    builder = Builder(Path("/nowhere"), _FILE_BYTES, _MEMORY_BYTES, gpu=False, allowed=frozenset(Wall))
    builder.enclose()
    builder.seal()
    sys.stdout.write(json.dumps(builder.missing))
    sys.stdout.flush()
