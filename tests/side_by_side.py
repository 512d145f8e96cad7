"""How tests are shared between two processes (pytest -n 2): what uses one server stays in one process.

Half of the suite waits for one process or another; two at a time keep both cores of a small machine at work. Started
servers and finished audits live as long as a pytest process, so that files which share them are never divided.
"""

from typing import Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

_SHARING = {
    "audits": (
        "tests/api/access/test_report_links", "tests/api/test_subjects",
        "tests/browser/", "tests/changed_images/", "tests/ci/", "tests/client/", "tests/commands/",
        "tests/comparisons/", "tests/reports/", "tests/webhooks/test_real_events",
    ),
    "service": (
        "tests/api/access/test_tenants", "tests/api/test_audits", "tests/api/test_class_separation",
        "tests/api/test_contract_of_errors", "tests/api/test_documents", "tests/api/test_manners",
        "tests/api/test_openapi_examples", "tests/api/test_random_twin",
        "tests/audits/", "tests/backup/", "tests/clients/", "tests/corpus/",
        "tests/datasets/test_corpus_through_the_api", "tests/docs/test_keras", "tests/docs/test_snippets",
        "tests/doctor/test_doctor", "tests/end_to_end/", "tests/fidelity/", "tests/fuzz/test_api", "tests/history/",
        "tests/map_sets/", "tests/metrics/", "tests/registries/",
    ),
    "api": ("tests/api/",),
    "faults": ("tests/faults/",),
    "observability": ("tests/observability/",),
    "recipes": ("tests/recipes/",),
    "runtime": ("tests/runtime/",),
    "sandbox": ("tests/sandbox/",),
    "worker": ("tests/worker/",),
}  # fmt: skip
"""By what their tests share, the beginnings of paths. Any other file goes by itself."""
_OF_THE_SERVICE = frozenset({"audits", "service"})
"""Those that share finished audits, and those that share the service alone: together they would be most of the suite,
for one process, while a second service takes seconds."""


class BySharedServer(LoadScopeScheduling):  # type: ignore[misc]
    """The scope of a test is what it shares, or its file."""

    def _split_scope(self, nodeid: str) -> str:
        return _scope(nodeid.partition("::")[0])


def _scope(file: str) -> str:
    return next((name for name, paths in _SHARING.items() if file.startswith(paths)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: Any, log: Any) -> BySharedServer:
    """In the order of the files: by the number of their tests, a few long ones would be left for one process."""
    config.option.loadscopereorder = False
    return BySharedServer(config, log)


def turn(file: str) -> int:
    """Of a file's tests: what many files share comes first. Begun last, it would keep one process at work for minutes
    when the other has nothing left to do.
    """
    scopes = [*_SHARING]
    return scopes.index(_scope(file)) if _scope(file) in _SHARING else len(scopes)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold the list to the tests: whoever uses the service elsewhere would start another one, unseen."""
    files = {item.nodeid.partition("::")[0] for item in items if "service" in getattr(item, "fixturenames", ())}
    missing = sorted(file for file in files if _scope(file) not in _OF_THE_SERVICE)
    if missing:
        raise pytest.UsageError(f"These use the service and are not told of in tests/side_by_side.py: {missing}")
    items.sort(key=lambda item: turn(item.nodeid.partition("::")[0]))
