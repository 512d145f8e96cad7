"""The GitHub Action and the GitLab component: their YAML is read, and the commands in it run against the service."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
import yaml

from tests.commands.guides import ROOT

Json = dict[str, Any]
ACTION = ROOT / "deploy" / "ci" / "github" / "action.yml"
COMPONENT = ROOT / "deploy" / "ci" / "gitlab" / "templates" / "salience-audit.yml"
PASSES, FAILS = "entropy.spatial.mean <= 1", "entropy.spatial.mean <= 0.01"


@dataclass(frozen=True)
class Job:
    """A runner's folder and variables."""

    folder: Path
    environment: dict[str, str]

    def run(self, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """As a runner does: bash that ends at the first error."""
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, module in (("python", ""), ("salience-audit", "-m app.cli")):
        (programs / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {module} "$@"\n')
        (programs / name).chmod(0o755)
    (tmp_path / "checkout").mkdir()
    kept = {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    return Job(tmp_path / "checkout", kept | {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")})


@pytest.fixture
def inputs(service: httpx.Client, first: Json) -> Json:
    """Of a small audit of the first audit's model, by id."""
    return {
        "url": str(service.base_url),
        "api-key": service.headers["authorization"].partition(" ")[2],
        "dataset": first["dataset_id"],
        "model": first["model_ids"][0],
        "sample-limit": "4",
        "name": "release `12` | <b>",
    }


def action_step(name: str, inputs: Json) -> tuple[str, dict[str, str]]:
    """A step's script and variables, with the expressions that it may hold."""
    document = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    given = {key: inputs.get(key, spec.get("default", "")) for key, spec in document["inputs"].items()}
    (step,) = [step for step in document["runs"]["steps"] if step["name"] == name]
    assert (document["runs"]["using"], step["shell"]) == ("composite", "bash")
    assert "${{" not in step["run"]  # what a caller chooses is no text of the script
    variables = {}
    for variable, text in step["env"].items():
        found = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", text)
        assert found is not None, text
        variables[variable] = str(given[found[1]])
    return step["run"], variables


def component_job(inputs: Json) -> Json:
    spec, template = COMPONENT.read_text(encoding="utf-8").split("\n---\n")
    given = {key: inputs.get(key, one.get("default")) for key, one in yaml.safe_load(spec)["spec"]["inputs"].items()}
    assert None not in given.values(), given
    named = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: str(given[found[1]]).replace('"', ""), template)
    (document,) = yaml.safe_load(named).values()
    return dict(document)


@pytest.mark.parametrize(("condition", "status"), [(PASSES, 0), (FAILS, 1)])
def test_the_action_holds_a_release(
    job: Job, inputs: Json, make_gate: Callable[..., Json], tmp_path: Path, condition: str, status: int
) -> None:
    (job.folder / "protocol.json").write_text('{"measures": {"entropy": {}}, "micro_batch": 4}')
    gate = make_gate(condition, name="ci gate")
    script, variables = action_step("Audit", inputs | {"gate": gate["id"], "protocol": "protocol.json"})
    done = job.run(script, **variables)
    assert done.returncode == status, done.stderr
    summary = (tmp_path / "summary.md").read_text(encoding="utf-8")
    outcome = "passed" if status == 0 else "failed"
    assert f"gate ci gate {outcome}" in summary
    assert "release \\`12\\` \\| \\<b\\>" in summary
    assert "| entropy | 0." in summary
    assert f"{inputs['url']}/v1/audits/" in summary.replace("//v1", "/v1")
    (suite,) = ET.parse(job.folder / "salience-audit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("1", str(status))
    assert variables["SALIENCE_AUDIT_API_KEY"] not in done.stdout + done.stderr + summary


def test_the_component_holds_a_release(job: Job, inputs: Json, make_gate: Callable[..., Json]) -> None:
    gate = make_gate(FAILS, name="ci gate")
    (job.folder / "protocol.json").write_text('{"measures": {"entropy": {}}, "micro_batch": 4}')
    plain = inputs | {"gate": gate["id"], "protocol": "protocol.json", "install": "pip", "name": "release 12"}
    found = component_job(plain)
    variables = {name: str(value) for name, value in found["variables"].items()}
    key = {"SALIENCE_AUDIT_API_KEY": inputs["api-key"]}
    done = job.run("\n".join(found["script"]), **variables, **key)
    assert done.returncode == 1, done.stderr
    assert (job.folder / found["artifacts"]["reports"]["junit"]).exists()
    assert "gate ci gate failed" in (job.folder / found["artifacts"]["paths"][0]).read_text(encoding="utf-8")


def test_no_verdict_is_3_and_says_why(job: Job, inputs: Json, make_gate: Callable[..., Json]) -> None:
    script, variables = action_step("Audit", inputs | {"gate": "nobody's gate"})
    assert job.run(script, **variables).returncode == 3
    two = inputs | {"gate": make_gate(PASSES)["id"], "model": "nobody\n"}
    script, variables = action_step("Audit", two)
    done = job.run(script, **variables)
    assert (done.returncode, "nobody" in done.stderr) == (3, True)


def test_what_is_installed_is_there(job: Job, tmp_path: Path) -> None:
    """What pip is told, by one that only writes it down: installing takes minutes and a network."""
    (tmp_path / "bin" / "python").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    script, variables = action_step("Install the command line", {})
    told = job.run(script, **variables, GITHUB_ACTION_PATH=str(ACTION.parent)).stdout.splitlines()
    assert told[:4] == ["-m", "pip", "install", "--quiet"]
    names = [tomllib.loads((Path(path) / "pyproject.toml").read_text())["project"]["name"] for path in told[4:]]
    assert names == ["salience-audit-client", "salience-audit"]
    script, variables = action_step("Install the command line", {"install": "salience-audit==0.3"})
    assert job.run(script, **variables).stdout.splitlines()[4:] == ["salience-audit==0.3"]
