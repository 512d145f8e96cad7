"""What fails runs once more alone: flaky tests are named, what fails twice fails, one closing line counts the whole."""

import re
from pathlib import Path

import pytest

from tests.suite.small_suite import run_suite
from tests.suite.twice import NO_TESTS, UNTOLD, Outcome, closing_line, of_a_file

SUITE = """
import pathlib
import pytest

def first_time(name):
    seen = pathlib.Path(name)
    was = seen.exists()
    seen.touch()
    return not was

@pytest.mark.parametrize("text", ["a[b]", "c::d é"])
def test_passes(text): pass

class TestInAClass:
    @pytest.mark.parametrize("text", ["a/b.c[d] :: e", "ü"])
    def test_sometimes(self, text): assert not first_time(f"{len(text)}")

@pytest.fixture
def server(): assert not first_time("server")

def test_starts_sometimes(server): pass

@pytest.mark.skip
def test_never(): pass

@pytest.mark.xfail
def test_not_yet(): assert False

def test_never_passes(): assert False
"""
BROKEN = """
import os, pathlib, pytest
if len([*pathlib.Path().glob("seen*")]) < 2:  # by either of the two processes
    pathlib.Path(f"seen{os.getpid()}").touch()
    raise OSError

def test_one(): pass
def test_other(): pass

@pytest.mark.long
def test_of_another_target(): assert False
"""
MANY = """
import pytest

@pytest.mark.parametrize("number", range(12))
def test_it(number): assert False
"""
COMMAND = ("tests.suite.twice",)


def closing(printed: str) -> str:
    """The last line without its time; there is no other of its form."""
    found = [line for line in printed.splitlines() if re.search(r" in \d+\.\d\ds( \(.*\))?$", line)]
    assert found == [printed.splitlines()[-1]]
    return found[0].rpartition(" in ")[0]


def test_flaky_is_what_passes_then_and_what_fails_twice_fails(tmp_path: Path) -> None:
    done = run_suite(tmp_path, SUITE, *COMMAND)
    assert done.returncode == 1, done.stdout
    assert sorted(line for line in done.stdout.splitlines() if line.startswith("flaky: ")) == [
        r"flaky: test_few.py::TestInAClass::test_sometimes[\xfc]",
        "flaky: test_few.py::TestInAClass::test_sometimes[a/b.c[d] :: e]",
        "flaky: test_few.py::test_starts_sometimes",
    ]
    assert closing(done.stdout) == "1 failed, 5 passed, 1 skipped, 1 xfailed"


def test_a_file_that_could_not_be_read_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of it runs again what would have run, and no more: the project's own options leave out what is long."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-m 'not long'")
    done = run_suite(tmp_path, BROKEN, *COMMAND)
    assert done.returncode == 0, done.stdout
    assert "flaky: test_few.py\n" in done.stdout
    assert closing(done.stdout) == "2 passed"


def test_many_failures_run_again_together(tmp_path: Path) -> None:
    done = run_suite(tmp_path, MANY, *COMMAND)
    assert done.returncode == 1
    assert done.stdout.count("once more:") == 1
    assert closing(done.stdout) == "12 failed"


@pytest.mark.parametrize(
    ("text", "status", "line"),
    [
        ("import os\ndef test_it(): os._exit(3)\n", 1, "1 error"),
        ("", 5, "no tests ran"),
        ("import pytest\npytest.skip('not here', allow_module_level=True)\n", 5, "1 skipped"),
    ],
)
def test_pytest_itself_does_not_end_well(tmp_path: Path, text: str, status: int, line: str) -> None:
    done = run_suite(tmp_path, text, *COMMAND)
    assert (done.returncode, closing(done.stdout)) == (status, line)


@pytest.mark.parametrize(
    ("outcomes", "seconds", "line"),
    [
        ([Outcome.PASSED] * 3117, 1200, "3117 passed in 1200.00s (0:20:00)"),
        ([Outcome.PASSED, Outcome.FAILED, *[Outcome.ERROR] * 2], 5.129, "1 failed, 1 passed, 2 errors in 5.13s"),
    ],
)
def test_its_form_is_pytests(outcomes: list[Outcome], seconds: float, line: str) -> None:
    found = {f"test_few.py::{number}": outcome for number, outcome in enumerate(outcomes)}
    assert closing_line(found, seconds) == line


@pytest.mark.parametrize(
    ("status", "inside", "outcome"),
    [
        (0, {"test_few.py::test_one": Outcome.PASSED}, Outcome.PASSED),
        (1, {"test_few.py::test_one": Outcome.FAILED}, Outcome.ERROR),
        (1, {"test_more.py::test_one": Outcome.FAILED}, Outcome.PASSED),
        (NO_TESTS, {}, Outcome.PASSED),
        (UNTOLD, {}, Outcome.ERROR),
    ],
)
def test_a_file_passes_by_what_it_holds(status: int, inside: dict[str, Outcome], outcome: Outcome) -> None:
    """Of one whose tests are all of another target, that is nothing."""
    assert of_a_file("test_few.py", status, inside) == outcome
    assert of_a_file("test_few.py::test_gone", status, inside) == Outcome.ERROR
