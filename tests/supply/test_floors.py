"""The pinned versions are no older than the ones in which known holes were closed."""

import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FLOORS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["salience-audit"]["floors"]
LINES = (ROOT / "constraints.txt").read_text().splitlines()
PINNED = dict(line.lower().replace("_", "-").split("==") for line in LINES if "==" in line)


@pytest.mark.parametrize("name", FLOORS)
def test_no_known_hole(name: str) -> None:
    version, why = FLOORS[name]
    assert Version(PINNED[name]) >= Version(version), why


def test_constraints_hold_versions_alone() -> None:
    """Neither hosts nor hashes nor paths."""
    assert [line for line in LINES if line and not line.startswith("#") and line.count("==") != 1] == []
    assert [line for line in LINES if "/" in line or "@" in line] == []
