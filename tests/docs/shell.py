"""Pages as one script, in a folder that looks like a checkout in which the service runs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests import forked
from tests.conftest import OWN
from tests.docs.pages import ROOT, Block

SECONDS = 1500
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in OWN} | {"PYTHONPATH": str(ROOT)}

INTERPRETER = """
import sys, traceback
answers, sys.stdout = sys.stdout, sys.stderr
names = {"__name__": "__main__"}
for line in sys.stdin:
    try:
        exec(compile(open(line.strip()).read(), line.strip(), "exec"), names)
    except BaseException:
        traceback.print_exc()
        answers.write("failed\\n")
    else:
        answers.write("done\\n")
    answers.flush()
"""
"""All Python blocks of a page run in one process, as in a notebook."""

PREAMBLE = """
set -euo pipefail
set -a
new_page() { [ -z "${PYTHON_PID:-}" ] || { eval "exec ${PYTHON[1]}>&-"; wait $PYTHON_PID; }; }
python_block() {
  [ -n "${PYTHON_PID:-}" ] || coproc PYTHON { python -u interpreter.py; }
  echo "$1" >&"${PYTHON[1]}"
  read -r answer <&"${PYTHON[0]}"
  test "$answer" = done
}
"""
"""Variables are exported, since Python's blocks read them from the environment."""


def make_checkout(folder: Path, data: Path, tenant: str) -> Path:
    """``data`` is the running service's; names are unique in a tenant, so each walk has one of its own."""
    for name, target in {"examples": ROOT / "examples", ".venv": Path(sys.prefix)}.items():
        (folder / name).symlink_to(target)
    served = folder / "data" / "serve"
    served.mkdir(parents=True)
    for part in data.iterdir():
        (served / part.name).symlink_to(part)
    (served / "server.json").unlink()
    found = json.loads((data / "server.json").read_text(encoding="utf-8"))
    (served / "server.json").write_text(json.dumps(found | {"api_key": _new_key(data, tenant)}), encoding="utf-8")
    (folder / "interpreter.py").write_text(INTERPRETER, encoding="utf-8")
    return folder


def run(blocks: Sequence[Block], checkout: Path) -> str:
    """What the blocks print. Raises AssertionError with the block at which the script ended."""
    script = checkout / "page.sh"
    script.write_text(PREAMBLE + "\n".join(_steps(blocks, checkout)), encoding="utf-8")
    ended = subprocess.run(
        ["bash", str(script)],
        cwd=checkout,
        env=ENVIRONMENT | {"HOME": str(checkout), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    reached = (checkout / "reached").read_text(encoding="utf-8").strip()
    assert ended.returncode == 0, f"{reached}\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
    return ended.stdout + ended.stderr


def _steps(blocks: Sequence[Block], checkout: Path) -> Iterator[str]:
    page = None
    for number, block in enumerate(blocks):
        if block.page != page:
            page = block.page
            yield "new_page"
        yield f"echo '{block.page}:{block.line}' > {checkout}/reached"
        if block.language == "sh":
            yield block.text
        else:
            (checkout / f"block{number}.py").write_text(block.text, encoding="utf-8")
            yield f"python_block block{number}.py"


def _new_key(data: Path, tenant: str) -> str:
    arguments = ("keys", "create", "--tenant", tenant, "--scope", "audit:write", "--data", str(data))
    made = forked.run(arguments, ENVIRONMENT)
    made.check_returncode()
    return made.stdout.strip()
