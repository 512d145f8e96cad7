"""What the tests cost: seconds of processor time by folder, file and test, of pytest and of all that it started.

    python -m pytest -p tests.suite.cost [-n 2] [PATH ...]

What servers and workers do is counted where it ends: with the test that ran meanwhile. A process that outlived its
parent is not counted.
"""

import time
from collections import defaultdict
from collections.abc import Generator, Mapping
from typing import Any

import psutil
import pytest

TOP = 40
"""As many files and tests are told; folders are told all."""
_PROPERTY = "cost"


class Meter:
    """Seconds since it was last asked."""

    def __init__(self) -> None:
        self._before = (_processor_seconds(), time.monotonic())

    def lap(self) -> tuple[float, float]:
        """Of processors, and on the clock."""
        before, self._before = self._before, (_processor_seconds(), time.monotonic())
        return self._before[0] - before[0], self._before[1] - before[1]


def _processor_seconds() -> float:
    """Of this process and its descendants, those that have ended with them."""
    this = psutil.Process()
    found = 0.0
    for process in (this, *this.children(recursive=True)):
        try:
            found += sum(process.cpu_times()[:4])  # its own, and those of children that it has waited for
        except psutil.Error:
            continue
    return found


class Costs:
    """Measures where tests run, and tells where reports come together: two processes with xdist."""

    def __init__(self) -> None:
        self._meter = Meter()
        self._found: dict[str, tuple[float, float]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
        """At the end of a test, so that what it set up and tore down is its own."""
        if call.when == "teardown":
            item.user_properties.append((_PROPERTY, self._meter.lap()))
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == _PROPERTY and isinstance(value, tuple | list):
                self._found[report.nodeid] = (float(value[0]), float(value[1]))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        files = _summed(self._found, lambda name: name.partition("::")[0])
        folders = _summed(files, lambda name: name.rpartition("/")[0])
        total = _summed(files, lambda _: "all")
        for title, costs, top in (
            ("folders", folders | total, None),
            ("files", files, TOP),
            ("tests", self._found, TOP),
        ):
            terminalreporter.write_line(f"\n  processor s   clock s  {title}")
            for name, (processor, clock) in sorted(costs.items(), key=lambda one: -one[1][0])[:top]:
                terminalreporter.write_line(f"  {processor:11.1f} {clock:9.1f}  {name}")


def _summed(costs: Mapping[str, tuple[float, float]], group_of: Any) -> dict[str, tuple[float, float]]:
    groups: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, cost in costs.items():
        groups[group_of(name)].append(cost)
    return {name: (sum(cpu for cpu, _ in found), sum(clock for _, clock in found)) for name, found in groups.items()}


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Costs(), "costs")
