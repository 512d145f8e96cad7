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
    """As GitLab reads it (lib/gitlab/ci/config/interpolation/template.rb): the YAML first, and then the inputs in the
    texts and keys that it has, so that no input is read as YAML."""
    spec, template = yaml.safe_load_all(COMPONENT.read_text(encoding="utf-8"))
    given = {key: inputs.get(key, one.get("default")) for key, one in spec["spec"]["inputs"].items()}
    assert all(isinstance(value, str) for value in given.values()), given  # any other GitLab refuses
    (document,) = filled_in(template, given).values()
    return dict(document)


def filled_in(node: Any, given: Json) -> Any:
    if isinstance(node, dict):
        return {filled_in(key, given): filled_in(value, given) for key, value in node.items()}
    if isinstance(node, list):
        return [filled_in(one, given) for one in node]
    return re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: given[found[1]], node)


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
    plain = inputs | {"gate": gate["id"], "protocol": "protocol.json", "install": "pip"}
    found = component_job(plain)
    key = {"SALIENCE_AUDIT_API_KEY": inputs["api-key"]}
    done = job.run("\n".join(found["script"]), **found["variables"], **key)
    assert done.returncode == 1, done.stderr
    assert (job.folder / found["artifacts"]["reports"]["junit"]).exists()
    assert "gate ci gate failed" in (job.folder / found["artifacts"]["paths"][0]).read_text(encoding="utf-8")


ODD_MODELS = ['the "quoted" one', "it's $(touch owned) `touch owned`; touch owned", "a: b # c", "- {x}", "--name"]
ODD = {
    "dataset": '"faces" & touch owned',
    "gate": "$(touch owned)",
    "baseline": "'before'",
    "protocol": "a file.json",
    "sample-limit": "4",
    "name": 'release "12"\nand more',
}


@pytest.mark.parametrize("kind", ["action", "component"])
def test_inputs_are_words_and_never_commands(job: Job, tmp_path: Path, kind: str) -> None:
    """Two models and more, a line each, with quotes, and with all that a shell or YAML would read otherwise."""
    program = tmp_path / "bin" / "salience-audit"
    program.write_text('#!/bin/sh\nprintf "%s\\0" "$@"\n')
    asked = ODD | {
        "url": "https://audits.example",
        "api-key": "key",
        "model": "\n".join(ODD_MODELS) + "\n",
        "install": "pip",
    }
    if kind == "action":
        script, variables = action_step("Audit", asked)
        written = ["--junit", "salience-audit.xml", "--summary", str(tmp_path / "summary.md")]
    else:
        found = component_job(asked)
        script, variables = "\n".join(found["script"]), found["variables"]
        written = ["--junit", "salience-audit.xml", "--summary", "salience-audit.md"]
    done = job.run(script, **variables)
    assert done.returncode == 0, done.stderr
    models = [word for model in ODD_MODELS for word in ("--model", model)]
    options = [
        word for name in ("gate", "baseline", "protocol", "sample-limit", "name") for word in (f"--{name}", ODD[name])
    ]
    expected = ["audits", "run", "--dataset", ODD["dataset"], *models, *options, "--wait", *written]
    assert done.stdout.split("\0")[:-1] == expected
    assert not list(tmp_path.rglob("owned"))


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
