"""pytest in two processes, and once more alone whatever failed: what passes then is told as flaky, else the run fails.

    python -m tests.suite.twice [PATH ...]

The last line has the form of pytest's closing line and counts every test once, by how it ended at last. A flaky test is
a fault to mend: it passes here only so that one stall of a machine does not hide what else a run has found.
"""

import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from xml.etree import ElementTree as ET

ALONE = 10
"""As many get a process each; more have a common cause, and run again in one."""
MINUTE = 60
NO_TESTS = 5
"""Of pytest's statuses: none was collected, or all were deselected."""
UNTOLD = 3
"""Of pytest's statuses: an internal error, as which we count that it ended without a report."""


class Outcome(StrEnum):
    """In the order of pytest's closing line."""

    FAILED = "failed"
    PASSED = "passed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"
    ERROR = "error"


Outcomes = dict[str, Outcome]
BAD = {Outcome.FAILED, Outcome.ERROR}


def main(paths: Sequence[str]) -> int:
    """The exit status: 0 where nothing failed twice."""
    begun = time.monotonic()
    status, found = run_pytest("-n", "2", *paths)
    failed = [name for name, outcome in found.items() if outcome in BAD]
    if status == 1 and failed:
        again = run_again(failed)
        for name in failed:
            if name in again and again[name] not in BAD:
                _tell(f"flaky: {name}")
        found |= again
        status = int(any(outcome in BAD for outcome in found.values()))
    elif status not in {0, NO_TESTS}:
        found["pytest itself"] = Outcome.ERROR
    _tell(closing_line(found, time.monotonic() - begun))
    return status


def run_again(names: list[str]) -> Outcomes:
    """Each alone, unless there are many, and of a file what the first run would have taken of it; what is not to be
    found any more has failed twice.
    """
    groups = [[name] for name in names] if len(names) <= ALONE else [names]
    found: Outcomes = {}
    for group in groups:
        _tell("\n  ".join(["once more:", *group]))
        status, outcomes = run_pytest(*group)
        found |= outcomes | {name: of_a_file(name, status, outcomes) for name in group if name not in outcomes}
    return found


def of_a_file(name: str, status: int, outcomes: Outcomes) -> Outcome:
    """What could not be collected at first is known by its file: whether it can be now, and all that runs of it passes;
    that may be nothing.
    """
    if "::" in name or status not in {0, 1, NO_TESTS}:
        return Outcome.ERROR
    inside = {outcome for test, outcome in outcomes.items() if test.startswith(f"{name}::")}
    return Outcome.ERROR if BAD & inside else Outcome.PASSED


def run_pytest(*arguments: str) -> tuple[int, Outcomes]:
    """Its exit status, and how each test ended; its own closing line is left out (-q, beside the one in addopts)."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "tests.xml"
        options = ("-q", f"--junit-xml={report}", "--override-ini=junit_family=xunit1")
        command = [sys.executable, "-m", "pytest", *options, "--continue-on-collection-errors", *arguments]
        status = subprocess.run(command, check=False).returncode
        return (status, dict(_outcomes(report))) if report.exists() else (status or UNTOLD, {})


def _outcomes(report: Path) -> Iterator[tuple[str, Outcome]]:
    """A test that failed and whose fixtures then failed as well is there twice: the first counts."""
    worst: Outcomes = {}
    for case in ET.parse(report).iter("testcase"):
        if "file" not in case.attrib:  # pytest's own fault, which its exit status tells
            continue
        name, outcome = _node_id(case), _outcome(case)
        worst[name] = worst[name] if worst.get(name) in BAD else outcome
    yield from worst.items()


def _node_id(case: ET.Element) -> str:
    """By which pytest finds it again; of a file that could not be collected, its path."""
    file, classname = case.attrib["file"], case.attrib["classname"]
    if not classname:
        return file
    module = file.removesuffix(".py").replace("/", ".")
    classes = classname.removeprefix(module).strip(".")
    return "::".join([file, *filter(None, classes.split(".")), case.attrib["name"]])


def _outcome(case: ET.Element) -> Outcome:
    if case.find("failure") is not None:
        return Outcome.FAILED
    if case.find("error") is not None:
        return Outcome.ERROR
    skipped = case.find("skipped")
    if skipped is None:
        return Outcome.PASSED
    return Outcome.XFAILED if skipped.get("type") == "pytest.xfail" else Outcome.SKIPPED


def closing_line(found: Outcomes, seconds: float) -> str:
    """Files that could be collected at last do not count beside what they hold; those that skip themselves do."""
    counts = Counter(outcome for name, outcome in found.items() if "::" in name or outcome is not Outcome.PASSED)
    words = [f"{counts[one]} {one}{'s' * (one is Outcome.ERROR and counts[one] > 1)}" for one in Outcome if counts[one]]
    minutes = f" ({timedelta(seconds=int(seconds))})" if seconds >= MINUTE else ""
    return f"{', '.join(words) or 'no tests ran'} in {seconds:.2f}s{minutes}"


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # before what the next process prints


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
