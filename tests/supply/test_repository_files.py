"""Files that people and forges read: they parse, and what they name exists."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from worker.functional.frost import PHOTOGRAPHS

ROOT = Path(__file__).parents[2]
GITHUB = sorted(path for path in (ROOT / ".github").rglob("*") if path.suffix in {".yml", ".yaml"})


@pytest.mark.parametrize("path", [*GITHUB, ROOT / ".pre-commit-config.yaml"], ids=lambda path: path.name)
def test_parses(path: Path) -> None:
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict)


def test_workflows_run_what_anyone_can_run() -> None:
    """Nothing is tested by a forge in a way that a checkout lacks."""
    commands = {run for path in GITHUB if path.parent.name == "workflows" for run in _commands(path)}
    assert ".ci/run" in commands
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in commands - {".ci/run"}:
        assert command.removeprefix("make ") in targets


def test_hooks_need_no_network() -> None:
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert {repository["repo"] for repository in repositories} == {"local"}
    hooks = [hook for repository in repositories for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    check = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in hooks:
        program = hook["entry"].split()[0]
        assert program.replace(".venv/bin", "$(BIN)") in check or (ROOT / program).stat().st_mode & 0o111


def test_the_changelog_knows_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\d+\.\d+\.\d+) - \d{4}-\d\d-\d\d$", text, re.MULTILINE)[0] == version


@pytest.mark.parametrize(("folder", "package"), [("", "app"), ("", "worker"), ("clients/python", "salience_audit")])
def test_types_are_handed_on(folder: str, package: str) -> None:
    packages = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert (ROOT / folder / package / "py.typed").is_file()
    assert "py.typed" in packages[package]


def test_newer_versions_are_proposed_for_every_distribution() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    watched = {ROOT / one["directory"].strip("/") for one in updates if one["package-ecosystem"] == "pip"}
    assert watched == {ROOT, ROOT / "clients" / "python"}
    assert all((folder / "pyproject.toml").is_file() for folder in watched)


def test_photographs_of_frost_are_handed_on_with_their_notice() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    folder = ROOT / "worker" / "functional"
    handed_on = {file.name for pattern in packages["worker.functional"] for file in folder.glob(pattern)}
    assert handed_on == {"NOTICE", *(file.name for file in PHOTOGRAPHS)}


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("Refuse a manifest that names a file twice\n\nIt was read as the last of them.\n", 0),
        ("# a comment of git's\nRefuse a file\n", 0),
        ("Refuse " + "x" * 64, 0),
        ("Refuse " + "x" * 65, 1),
        ("Refuse a file.", 1),
        ("Refuse a file\nand say why", 1),
        ("# a comment alone", 1),
    ],
)
def test_subjects(message: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "message").write_text(message, encoding="utf-8")
    command = [ROOT / ".ci" / "subject", tmp_path / "message"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == status


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


def test_subjects_of_a_branch(tmp_path: Path) -> None:
    """Those that it adds to main alone, all of them, and no merge's: a forge makes one of every pull request."""
    _git(tmp_path, "init", "--initial-branch", "main")
    commit = ("commit", "--allow-empty", "--message")
    _git(tmp_path, *commit, "x" * 72)
    _git(tmp_path, "checkout", "-b", "branch")
    _git(tmp_path, *commit, "Refuse a file\n\nIt was read as the last of them.")
    _git(tmp_path, "checkout", "-b", "pull", "main")
    _git(tmp_path, "merge", "--no-ff", "--message", "Merge " + "x" * 80, "branch")
    command = [ROOT / ".ci" / "subjects"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    _git(tmp_path, *commit, "y" * 72)
    _git(tmp_path, *commit, "Refuse another file")
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout.count("\n"), "y" * 72 in done.stdout) == (1, 2, True)


def test_a_forge_fetches_what_subjects_are_compared_with() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())
    (checkout,) = [step for step in workflow["jobs"]["run"]["steps"] if "checkout" in step.get("uses", "")]
    assert checkout["with"]["fetch-depth"] == 0
    assert ".ci/subjects" in (ROOT / "Makefile").read_text().partition("\nrules:")[2].partition("\n\n")[0]


def _commands(path: Path) -> list[str]:
    jobs = yaml.safe_load(path.read_text())["jobs"].values()
    return [step["run"] for job in jobs for step in job["steps"] if "run" in step]
