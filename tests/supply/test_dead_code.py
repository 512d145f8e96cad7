"""What finds dead code also finds what tests alone keep alive, and a name that need not be public any more."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[tool.vulture]
paths = ["app", "worker", "clients/python", "tests"]
[tool.salience-audit]
public = ["handed_on", "gone"]
"""


def test_what_tests_alone_use_is_dead(tmp_path: Path) -> None:
    for folder in ("app", "worker", "clients/python", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION)
    names = ("used", "tested", "handed_on", "forgotten")
    (tmp_path / "app" / "code.py").write_text("\n".join(f"def {name}(): pass" for name in names))
    (tmp_path / "worker" / "code.py").write_text("from app.code import used\nused()\n")
    (tmp_path / "tests" / "test_code.py").write_text("from app.code import tested, handed_on\ntested()\nhanded_on()\n")
    command = [sys.executable, str(ROOT / ".ci" / "dead_code")]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "app/code.py:4: unused function 'forgotten'",
        "app/code.py:2: unused function 'tested', but by tests",
        "pyproject.toml: gone need not be public",
    ]
    assert done.returncode == 1
