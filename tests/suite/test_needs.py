"""What a test needs and the machine lacks is told once, counted, and starts nothing; what is there runs."""

from pathlib import Path

from tests.suite.small_suite import run_suite

SUITE = """
import pytest

@pytest.fixture
def server():
    raise AssertionError("started for nothing")

@pytest.mark.needs("no-such-program", "nor-this-one", get="apt-get install it")
@pytest.mark.parametrize("number", [1, 2])
def test_program(server, number): pass

@pytest.mark.needs("sh")
@pytest.mark.needs(module="no_such_package")
def test_package(server): pass

@pytest.mark.needs("no-such-program", "sh")
@pytest.mark.needs(module="json")
def test_what_is_there(): pass
"""


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    done = run_suite(tmp_path, SUITE)
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert "NOT RUN: 2 tests were skipped: no-such-program or nor-this-one is missing (apt-get install it)" in lines
    assert "NOT RUN: 1 test was skipped: the Python package no_such_package is missing" in lines
    assert lines[-1].startswith("1 passed, 3 skipped")
