"""Which tests are of `make test-fast`: those that start no server and no model's process, and take no long sums."""

from collections.abc import Iterable

import pytest

STARTED = {"open_folder", "postgres", "broker_url", "forkserver"}
"""Fixtures that whatever starts a server is built on."""
SLOW = (
    "tests/api/access/test_rate_limits.py",
    "tests/browser/",
    "tests/corpus/",
    "tests/demo/",
    "tests/deployment/",
    "tests/docs/test_site.py",
    "tests/doctor/",
    "tests/embedded/",
    "tests/faults/",
    "tests/fuzz/",
    "tests/observability/test_service_logs.py",
    "tests/salience/test_against_other_tools.py",
    "tests/salience/test_extraction.py",
    "tests/salience/test_library_methods.py",
    "tests/salience/test_no_leak.py",
    "tests/sandbox/",
    "tests/storage/",
    "tests/suite/",
)
"""Whatever else takes seconds a test: it starts a program, or whole networks compute."""


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Mark as ``slow`` what a change of a line need not wait for."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & STARTED or item.nodeid.startswith(SLOW):
            item.add_marker("slow")
