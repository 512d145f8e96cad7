"""A page's blocks as one script, in a folder that looks like a checkout in which the service runs."""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.docs.pages import ROOT, Block

SECONDS = 600
OWN = {"DATABASE_URL", "BROKER_URL", "API_KEY_SECRET"}

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


def make_checkout(folder: Path, data: Path) -> Path:
    """``data`` is the running service's."""
    for name, target in {"examples": ROOT / "examples", ".venv": Path(sys.prefix)}.items():
        (folder / name).symlink_to(target)
    (folder / "data").mkdir()
    (folder / "data" / "serve").symlink_to(data)
    (folder / "interpreter.py").write_text(INTERPRETER, encoding="utf-8")
    return folder


def run(blocks: Iterable[Block], checkout: Path, before: Path | None = None, after: Path | None = None) -> str:
    """What the blocks print; variables and functions go on from ``before`` and are written to ``after``.

    Raises AssertionError with the block at which the script ended.
    """
    script = checkout / "page.sh"
    steps = [_step(block, number, checkout) for number, block in enumerate(blocks)]
    script.write_text("\n".join([_setting(before), *steps, _keeping(after)]), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name not in OWN}
    environment |= {"PYTHONPATH": str(ROOT), "HOME": str(checkout), "COLUMNS": "120"}
    ended = subprocess.run(
        ["bash", str(script)],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    reached = (checkout / "reached").read_text(encoding="utf-8").strip()
    assert ended.returncode == 0, f"{reached}\n{ended.stdout[-2000:]}\n{ended.stderr[-4000:]}"
    return ended.stdout + ended.stderr


def _setting(before: Path | None) -> str:
    """Variables are exported, since Python's blocks read them from the environment."""
    ask = 'echo "$1" >&"${PYTHON[1]}"; read -r answer <&"${PYTHON[0]}"; test "$answer" = done'
    start = '[ -n "${PYTHON_PID:-}" ] || coproc PYTHON { python -u interpreter.py; }'
    return f"set -euo pipefail\n{f'. {before}' if before else ''}\nset -a\npython_block() {{ {start}; {ask}; }}"


def _step(block: Block, number: int, checkout: Path) -> str:
    reached = f"echo '{block.page}:{block.line}' > reached"
    if block.language == "sh":
        return f"{reached}\n{block.text}"
    file = checkout / f"block{number}.py"
    file.write_text(block.text, encoding="utf-8")
    return f"{reached}\npython_block {file.name}"


def _keeping(after: Path | None) -> str:
    return f"{{ export -p | grep -v PYTHON_PID; declare -f; }} > {after}" if after else ""
