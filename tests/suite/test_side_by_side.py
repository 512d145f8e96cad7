"""What many files share is given to one of two processes, and before what goes by its file."""

import pytest

from tests.side_by_side import _SHARING, turn
from tests.suite.small_suite import ROOT


@pytest.mark.parametrize("beginning", [one for beginnings in _SHARING.values() for one in beginnings])
def test_what_shares_is_there(beginning: str) -> None:
    folder, _, name = beginning.rpartition("/")
    assert any(path.name.startswith(name) for path in (ROOT / folder).glob("*"))


def test_what_is_shared_comes_first() -> None:
    """Whatever the alphabet says: the last to begin should be short."""
    files = ["tests/api/access/test_keys.py", "tests/weights/test_heads.py", "tests/worker/test_leases.py"]
    files += ["tests/browser/test_report.py", "tests/domain/test_draws.py"]
    assert sorted(files, key=turn) == [files[3], files[0], files[2], files[1], files[4]]
