"""pytest in a process of its own, on a few tests that are written down as text."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_suite(folder: Path, text: str, *command: str) -> "subprocess.CompletedProcess[str]":
    """Of one file, ``test_few.py``; without a command by pytest with the project's own plugin for needs."""
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -q -p no:cacheprovider\n")
    (folder / "test_few.py").write_text(text)
    full = [sys.executable, "-m", *(command or ("pytest", "-p", "tests.needs"))]
    # Other plugins are not what is tested, and take longer to import than the tests to run.
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | plugins
    return subprocess.run(full, cwd=folder, env=environment, capture_output=True, text=True, check=False)
