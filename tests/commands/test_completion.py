"""Shells complete the commands, their options and their choices."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; sys.argv[0] = 'salience-audit'; from app.cli import main; main()"


def program(*arguments: str, **variables: str) -> str:
    """Under the name that it is installed under."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **variables}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout


def completed(line: str) -> list[str]:
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    return program(_SALIENCE_AUDIT_COMPLETE="complete_bash", **words).split()


def test_the_script_of_a_shell() -> None:
    shown = program("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_SALIENCE_AUDIT_COMPLETE=complete_bash" in shown
    assert subprocess.run(["bash", "-n"], input=shown, text=True, check=False).returncode == 0


def test_commands_options_choices() -> None:
    assert {"models", "datasets", "run-groups", "gates", "audits", "serve"} <= set(completed("salience-audit "))
    assert "--sample-limit" in completed("salience-audit audits run --s")
    assert completed("salience-audit audits list --status can") == ["cancelled"]
