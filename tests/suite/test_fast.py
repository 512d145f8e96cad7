"""`make test-fast` leaves out files and folders that are there, and whatever is built on a server."""

from pathlib import Path

import pytest

from tests.fast import SLOW
from tests.suite.small_suite import ROOT, run_suite

SUITE = """
import pytest

@pytest.fixture
def postgres(): raise AssertionError("started")

@pytest.fixture
def database_url(postgres): return postgres

def test_of_the_database(database_url): pass
def test_of_nothing(): pass
"""


@pytest.mark.parametrize("name", SLOW)
def test_what_is_left_out_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_what_is_built_on_a_server_is_left_out(tmp_path: Path) -> None:
    done = run_suite(tmp_path, SUITE, "pytest", "-p", "tests.fast", "-m", "not slow", "-W", "ignore")
    assert done.stdout.splitlines()[-1].startswith("1 passed, 1 deselected")
