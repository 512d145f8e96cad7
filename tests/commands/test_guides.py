"""The README's walk and the guide run in their order, in a tenant of their own.

They run as they stand, but for a protocol that takes seconds.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import PROTOCOL, Commands

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "client.md").read_text()


def commands_of(text: str) -> str:
    """Indented blocks, as a script."""
    script = "\n".join(re.findall(r"^    (.*)$", re.sub(r"```python.*?```", "", text, flags=re.DOTALL), re.MULTILINE))
    return script.replace("--sample-limit 16", "--sample-limit 6 --protocol small.json")


def python_of(text: str) -> str:
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def section(text: str, title: str) -> str:
    return re.split(r"^##+ ", text.partition(title)[2], flags=re.MULTILINE)[0]


@pytest.fixture(scope="module")
def run(in_tenant: Callable[[str], Commands], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs a program in a folder that looks like a checkout whose commands are this one's."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "small.json").write_text(json.dumps(PROTOCOL))
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, module in (("python", ""), ("salience-audit", "-m app.cli")):
        (programs / name).write_text(f'#!/bin/sh\nexec {sys.executable} {module} "$@"\n')
        (programs / name).chmod(0o755)
    environment = in_tenant("guides").environment | {"PYTHONPATH": str(ROOT), "PATH": f"{programs}:/usr/bin:/bin"}

    def run_program(*program: str, text: str) -> str:
        done = subprocess.run(
            program, input=text, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=280
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (folder / "faces.zip").exists()
        return done.stdout

    return run_program


def test_the_walk_of_the_readme(run: Callable[..., str]) -> None:
    part = section(README, "### From the command line")
    shown = run("bash", "-e", text=commands_of(part))
    assert "Gate release: passed" in shown
    assert "Comparison" in shown
    assert "noise_reaction" in run(sys.executable, "-", text=python_of(part))


def test_the_guide(run: Callable[..., str]) -> None:
    shown = run("bash", "-e", text=commands_of(GUIDE))
    assert shown.count("Gate release: passed") == 1
    told = run(sys.executable, "-", text=python_of(GUIDE))
    assert "passed" in told
    assert "422 validation-error" in told
    assert "end {'status': 'succeeded', 'problem': None}" in told
