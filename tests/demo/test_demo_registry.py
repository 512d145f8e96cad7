"""``make demo-registry`` as it stands: what it prints, and that it takes less than three minutes."""

import re
import subprocess
import sys

import pytest
from mlflow_server import mlflow_program

from tests.commands.guides import ROOT

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(mlflow_program() is None, reason="MLflow is missing (make integration installs it)"),
]
MOST_SECONDS = 180


def test_it_ends_with_tags_alias_log_and_history() -> None:
    command = [sys.executable, str(ROOT / "examples" / "registry" / "demo.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    _, first, second, log, history, took = re.split(
        r"\n\n(?=faces \d|What MLflow told|The history of|It took)", done.stdout
    )
    for version, block in (("1", first), ("2", second)):
        assert block.startswith(f"faces {version} (")
        assert re.search(r"^  salience.verdict +(passed|failed)$", block, re.MULTILINE), block
        assert re.search(r"^  salience.entropy +0\.\d+", block, re.MULTILINE), block
        assert re.search(r"^  salience.report_url +http", block, re.MULTILINE), block
        assert re.search(r"^  in its run +salience.*report.html$", block, re.MULTILINE), block
    assert re.search(r"^  alias champion +version [12]$", second, re.MULTILINE), second
    audited = re.findall(r"^  (\d) x model_version.created +audited(.*)$", log, re.MULTILINE)
    assert sum(int(count) for count, _ in audited) == 2, log
    assert "The version was given the alias champion" in log
    assert "pending" not in log
    assert "The tag is one that this service writes." in log
    assert [*re.findall(r"^  version (\d) +(?:passed|failed) +entropy 0\.", history, re.MULTILINE)] == ["1", "2"]
    found = re.search(r"It took (\d+) seconds", took)
    assert found
    assert int(found[1]) < MOST_SECONDS
