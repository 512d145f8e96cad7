"""Every command and snippet of the documentation runs as it stands."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.docs.exceptions import ELSEWHERE, NOT_RUN
from tests.docs.pages import PAGES, ROOT, RUN, SHOWN, Block, blocks, has_indented_block
from tests.docs.shell import make_checkout, run

WALKS = (
    (
        "docs/tutorial.md",
        "docs/api.md",
        "docs/comparisons-and-gates.md",
        "docs/reports.md",
        "docs/webhooks.md",
        "docs/registries.md",
    ),
    ("README.md", "docs/client.md", "docs/ci.md", "docs/map-sets.md", "docs/elsewhere.md"),
    ("docs/keys-and-tenants.md",),
    ("docs/operations.md",),
)
"""Pages that go on where the one before ended."""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing: NO snippet of the docs was run")


@pytest.fixture
def checkout(service: httpx.Client, open_folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    return make_checkout(tmp_path, open_folder / "service", f"docs: {request.node.name}"[:100])


def _to_run(*pages: str) -> list[Block]:
    found = [block for page in pages for block in blocks(page)]
    return [block for block in found if block.language in RUN and not any(_excepted(block))]


def _excepted(block: Block) -> Iterator[bool]:
    return (block.page == page and block.text.startswith(beginning) for page, beginning in NOT_RUN)


@needs_curl
@pytest.mark.timeout(1800)
def test_tutorial_and_what_goes_on_from_it(checkout: Path) -> None:
    printed = run(_to_run(*WALKS[0]), checkout)
    assert "conv5" in printed
    assert "event: end" in printed
    assert "Gate tutorial: passed" in printed
    assert "<svg" in (checkout / "radar.svg").read_text(encoding="utf-8")
    assert "404 not-found" in printed
    assert (checkout / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "<testsuite" in (checkout / "verdict.xml").read_text(encoding="utf-8")
    assert (checkout / "scores.csv").read_text(encoding="utf-8").startswith("sample,label,source")
    assert "model-index" in (checkout / "model_card.md").read_text(encoding="utf-8")


@needs_curl
@pytest.mark.timeout(1800)
def test_readme_and_client(checkout: Path) -> None:
    printed = run(_to_run(*WALKS[1]), checkout)
    assert printed.count("Gate release: passed") == 3
    assert "gate release passed" in (checkout / "summary.md").read_text(encoding="utf-8")
    assert "422 validation-error" in printed
    assert "end {'status': 'succeeded', 'problem': None}" in printed
    for page in ("report.html", "audit.html"):
        assert "<html" in (checkout / page).read_text(encoding="utf-8")


@needs_curl
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("pages", WALKS[2:], ids=lambda pages: Path(pages[0]).stem)
def test_on_its_own(pages: tuple[str, ...], checkout: Path) -> None:
    assert run(_to_run(*pages), checkout)


def test_every_page_is_walked() -> None:
    assert {page for page in PAGES if _to_run(page)} == {page for walk in (*WALKS, ELSEWHERE) for page in walk}


@pytest.mark.parametrize("page", PAGES)
def test_no_block_is_left_out(page: str) -> None:
    assert {block.language for block in blocks(page)} <= {*RUN, *SHOWN}
    assert not has_indented_block(page)


def test_it_is_said_which_curl_is_needed() -> None:
    """Debian 11 and Ubuntu 22.04 have one that knows no --json. What goes on from the tutorial has what it needs."""
    tutorial, guide = ((ROOT / "docs" / page).read_text(encoding="utf-8") for page in ("tutorial.md", "api.md"))
    assert all("curl 7.82" in text for text in (tutorial, guide))


def test_exceptions_exist() -> None:
    found = [block for page in PAGES for block in blocks(page) if block.language in RUN]
    for page, beginning in NOT_RUN:
        assert any(block.page == page and block.text.startswith(beginning) for block in found), (page, beginning)
