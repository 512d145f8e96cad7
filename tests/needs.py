"""What tests need that a fresh machine lacks, as markers; what was not run for want of it is told at the end.

    @pytest.mark.integration  # not of `make test`, but of `make integration`
    @pytest.mark.needs("pgbouncer", get="apt-get install pgbouncer")  # one of these programs
    @pytest.mark.needs(module="mlflow", get="pip install mlflow")
    def test_it(...): ...

A test with needs alone is of `make test`: it runs where they are there, and what is missing is told.
"""

import importlib.util
import shutil
from collections import Counter

import pytest


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: nothing is started for a test that cannot run."""
    for mark in item.iter_markers("needs"):
        if reason := _missing(*mark.args, **mark.kwargs):
            pytest.skip(reason)


def _missing(*programs: str, module: str | None = None, get: str | None = None) -> str | None:
    """Why the test cannot run; None where all is there."""
    way = f" ({get})" if get else ""
    if programs and not any(shutil.which(program) for program in programs):
        return f"{' or '.join(programs)} is missing{way}"
    if module and not importlib.util.find_spec(module):
        return f"the Python package {module} is missing{way}"
    return None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Nobody shall overlook what did not run."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(_reason(report) for report in reports)
    for reason, count in sorted(reasons.items()):
        tests = "1 test was" if count == 1 else f"{count} tests were"
        terminalreporter.write_line(f"NOT RUN: {tests} skipped: {reason}", yellow=True, bold=True)


def _reason(report: pytest.TestReport) -> str:
    place = report.longrepr
    return place[2].removeprefix("Skipped: ") if isinstance(place, tuple) else str(place)
