"""The client is a distribution of its own: its wheel needs httpx and nothing of the server."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FOLDER = REPOSITORY / "clients" / "python"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
PROGRAM = """
import sys
sys.path.insert(0, {target!r})
import salience_audit
assert salience_audit.__file__.startswith({target!r}), salience_audit.__file__
with salience_audit.Client({url!r}, {key!r}) as client:
    protocols = client.protocols()
    assert protocols.presets["default"] and "entropy" in protocols.measures
names = {{name.partition(".")[0] for name in sys.modules}}
unwanted = {{
    "app", "worker", "torch", "pydantic", "fastapi", "sqlalchemy", "celery", "numpy", "pandas", "polars", "pyarrow"
}}
assert not names & unwanted, names & unwanted
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since setuptools writes next to what it builds."""
    folder = tmp_path_factory.mktemp("client")
    copy = folder / "source"
    for path in sorted(FOLDER.rglob("*")):
        if path.is_file() and not {"__pycache__", "build"} & set(path.parts) and ".egg-info" not in str(path):
            target = copy / path.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    command = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(copy)]
    subprocess.run([*PIP, *command], check=True)
    [made] = folder.glob("*.whl")
    return made


def test_what_the_wheel_holds(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        [metadata] = [archive.read(name).decode() for name in names if name.endswith("/METADATA")]
    packages = {name.partition("/")[0] for name in names if not name.partition("/")[0].endswith(".dist-info")}
    assert packages == {"salience_audit"}
    assert "salience_audit/py.typed" in names
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert needed == ["Requires-Dist: httpx>=0.28"]


def test_it_runs_from_its_wheel(wheel: Path, address: tuple[str, str], tmp_path: Path) -> None:
    """By itself, in a process that has imported nothing else of ours; httpx is the machine's."""
    target = tmp_path / "installed"
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(target), str(wheel)], check=True)
    program = PROGRAM.format(target=str(target), url=address[0], key=address[1])
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


def test_its_version_is_the_services() -> None:
    own, whole = (tomllib.loads((folder / "pyproject.toml").read_text()) for folder in (FOLDER, REPOSITORY))
    version = whole["project"]["version"]
    assert own["project"]["version"] == version
    assert f"salience-audit-client=={version}" in whole["project"]["dependencies"]
