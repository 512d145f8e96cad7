"""Which layers of the sandbox this kernel lacks: found out by a short process that sets them all up for itself."""

import json
import subprocess
import sys
from pathlib import Path

from app.domain.vocabulary import SandboxLayer
from worker.sandbox.layers import Sandbox

_SECONDS = 60
_FILE_BYTES = 1024
_MEMORY_BYTES = 1024**3
_ROOT = Path(__file__).resolve().parents[2]


class SandboxUnavailable(Exception):
    """Models cannot be run in a sandbox here. ``code`` as problems name it."""

    code = "sandbox-unavailable"


def missing_layers() -> dict[SandboxLayer, str]:
    """Each with the reason that the kernel gives."""
    program = "import sys; sys.path[:] = sys.argv[1:]; from worker.sandbox.survey import main; main()"
    command = [sys.executable, "-I", "-c", program, *sys.path, str(_ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"the survey ended with status {done.returncode}"])[-1]
        return dict.fromkeys(SandboxLayer, why)
    return {SandboxLayer(name): why for name, why in json.loads(done.stdout).items()}


def require_layers(allowed: frozenset[SandboxLayer]) -> dict[SandboxLayer, str]:
    """The layers that are missing, all of them allowed to be. Raises SandboxUnavailable."""
    missing = missing_layers()
    needed = {layer: why for layer, why in missing.items() if layer not in allowed}
    if needed:
        layers = "; ".join(f"{layer} ({why})" for layer, why in needed.items())
        names = ",".join(sorted(missing))
        raise SandboxUnavailable(
            f"{SandboxUnavailable.code}: this system lacks {layers}. Models are not run without these sandbox layers "
            f"unless ALLOW_MISSING_SANDBOX_LAYERS={names} says so."
        )
    return missing


def main() -> None:
    """In the short process."""
    sandbox = Sandbox(Path("/nowhere"), _FILE_BYTES, _MEMORY_BYTES, gpu=False, allowed=frozenset(SandboxLayer))
    sandbox.enclose()
    sandbox.seal()
    sys.stdout.write(json.dumps(sandbox.missing))
    sys.stdout.flush()
