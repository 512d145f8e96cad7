"""A real headless Chromium for tests of what people see.

    def test_page(open_page, service):
        page = open_page(PHONE, color_scheme="dark")     # every page has a fresh context: no cookies, no storage
        page.goto(f"{service.base_url}docs")
        page.emulate_media(media="print")
        assert serious_findings(page) == []

At the end of each test every page must have been quiet (`tests.browser.browsing.watch`): no error or warning on its
console, no request to another origin. A test that provokes one reads `complaints` and clears it. ``open_page`` takes
whatever ``Browser.new_context`` takes: ``color_scheme``, ``java_script_enabled=False``, ``extra_http_headers``.

Where there is no browser these tests are skipped, and the end of pytest's report says so. ``make test`` installs one
where it can.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.browser.browsing import DESKTOP, watch

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = f"no browser ({', '.join(NAMES)}) is installed; apt-get install chromium"
WAIT_MILLISECONDS = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One a module and not one a session: while playwright is there, no other test can run an event loop."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(MISSING)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS), timeout=WAIT_MILLISECONDS)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the test's pages complained of so far; empty at the test's end, or the test fails."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Make a page of this size with these options of ``Browser.new_context``; it is closed with the test."""
    contexts: list[BrowserContext] = []

    def open_one(viewport: ViewportSize = DESKTOP, **options: Any) -> Page:
        contexts.append(browser.new_context(viewport=viewport, **options))
        contexts[-1].set_default_timeout(WAIT_MILLISECONDS)
        page = contexts[-1].new_page()
        watch(page, complaints)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A page at desktop width."""
    return open_page()
