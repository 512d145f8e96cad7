"""A process that runs tests takes its share of the cores; one that hands them out to others is known as such."""

import os

import pytest

from tests.suite.processes import WORKER, hands_out, share_of_cores


@pytest.mark.parametrize(
    "line", ["-n 2", "-n2 tests/api", "--numprocesses 2", "--numprocesses=2", "-q -p xdist -n2 -m slow", "-n auto"]
)
def test_of_several_processes_the_first_hands_out(line: str) -> None:
    assert hands_out(line.split(), {})
    assert hands_out([], {"PYTEST_ADDOPTS": line})
    assert not hands_out(line.split(), {WORKER: "gw0"})


@pytest.mark.parametrize(
    "line", ["", "tests/api", "-n 0", "-n0", "-p no:xdist --no-header -k numbers", "-n auto --pdb"]
)
def test_one_process_runs_them_itself(line: str) -> None:
    assert not hands_out(line.split(), {})


def test_this_process_took_its_share() -> None:
    """Not what the one that hands tests out would have taken, whose environment it has."""
    assert os.environ["THREADS"] == str(share_of_cores(os.environ))
