"""Every command and snippet of the documentation runs as it stands."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.exceptions import NOT_RUN
from tests.docs.pages import PAGES, RUN, SHOWN, Block, blocks, has_indented_block
from tests.docs.shell import make_checkout, run

TUTORIAL = "docs/tutorial.md"
GOING_ON = ("docs/api.md", "docs/comparisons-and-gates.md")
"""Pages that begin where the tutorial ended."""

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing: NO snippet of the docs was run"),
    pytest.mark.timeout(900),
]


def _to_run(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.language in RUN and not any(_excepted(block))]


def _excepted(block: Block) -> Iterator[bool]:
    return (block.page == page and block.text.startswith(beginning) for page, beginning in NOT_RUN)


ON_THEIR_OWN = [page for page in PAGES if page not in {TUTORIAL, *GOING_ON} and _to_run(page)]


@pytest.fixture(scope="module")
def checkout(service: httpx.Client, open_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkout(tmp_path_factory.mktemp("checkout"), open_folder / "service")


@pytest.fixture(scope="module")
def walked(checkout: Path) -> tuple[Path, str]:
    """The variables that the tutorial leaves behind, and what it printed."""
    after = checkout / "walked.sh"
    return after, run(_to_run(TUTORIAL), checkout, after=after)


def test_the_tutorial(walked: tuple[Path, str], checkout: Path) -> None:
    _, printed = walked
    assert "conv5" in printed
    assert "event: end" in printed
    assert (checkout / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "<testsuite" in (checkout / "verdict.xml").read_text()


@pytest.mark.parametrize("page", GOING_ON)
def test_after_the_tutorial(page: str, walked: tuple[Path, str], checkout: Path) -> None:
    run(_to_run(page), checkout, before=walked[0])


@pytest.mark.parametrize("page", ON_THEIR_OWN)
def test_on_its_own(page: str, checkout: Path) -> None:
    run(_to_run(page), checkout)


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_left_out(page: str) -> None:
    assert {block.language for block in blocks(page)} <= {*RUN, *SHOWN}
    assert not has_indented_block(page)


def test_exceptions_exist() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.language in RUN]
    for page, beginning in NOT_RUN:
        assert any(block.page == page and block.text.startswith(beginning) for block in found), (page, beginning)
