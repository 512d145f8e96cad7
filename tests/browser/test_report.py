"""The reports as people see them: light, dark and in print, on a telephone and on a desk, without JavaScript, without
a network, by keyboard, and to a screen reader."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect
from pypdf import PdfReader

from app.reports.page import page as page_of
from tests.browser.browsing import DESKTOP, PHONE, focus_is_visible, serious_findings, sideways
from tests.reports.full_reports import comparison
from tests.waiting import PATIENCE_SECONDS

Json = dict[str, Any]
OpenPage = Callable[..., Page]


PAPER = 680
"""Pixels between the margins of an A4 page."""

HOP_BY_HOP = {"connection", "content-encoding", "content-length", "transfer-encoding"}

RIGHT_EDGES = """[...document.querySelectorAll('table')].map(table => {
    const box = table.getBoundingClientRect();
    const cells = [...table.querySelectorAll('th, td')];
    const right = Math.max(box.right, ...cells.map(cell => cell.getBoundingClientRect().left + cell.scrollWidth));
    return [document.getElementById(table.getAttribute('aria-labelledby')).textContent, right, box.height];
})"""

TORN_NUMBERS = """[...document.querySelectorAll('td')].filter(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return /^[−+]?\\d+(\\.\\d+)?$/.test(cell.textContent) && range.getClientRects().length > 1;
}).map(cell => cell.textContent)"""


@pytest.fixture(scope="module")
def six_sides(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A comparison of six models with long names, as a kept file."""
    names = [f"a_model_with_a_long_name_run{place}" for place in range(6)]
    file = tmp_path_factory.mktemp("reports") / "six.html"
    file.write_text(page_of(comparison(names)))
    return file.as_uri()


@pytest.fixture(scope="module")
def addresses(service: httpx.Client, strategies: list[Json], strategies_compared: Json) -> dict[str, str]:
    """Links that need no key, as a browser sends none."""
    paths = {"audit": f"/v1/audits/{strategies[1]['id']}", "comparison": f"/v1/comparisons/{strategies_compared['id']}"}
    made = {kind: service.post(f"{path}/report-links", json={}).json()["url"] for kind, path in paths.items()}
    return {kind: str(service.base_url).rstrip("/") + url for kind, url in made.items()}


@pytest.fixture(scope="module")
def answers(addresses: dict[str, str]) -> dict[str, httpx.Response]:
    return {url: httpx.get(url, timeout=PATIENCE_SECONDS).raise_for_status() for url in addresses.values()}


@pytest.fixture
def open_page(open_page: OpenPage, answers: dict[str, httpx.Response]) -> OpenPage:
    """Whose requests for a report get what the service answered once, headers and all: to draw one takes seconds."""

    def answer(route: Route) -> None:
        once = answers[route.request.url]
        headers = {name: value for name, value in once.headers.items() if name not in HOP_BY_HOP}
        route.fulfill(status=once.status_code, headers=headers, body=once.content)

    def open_one(*window: ViewportSize, **options: Any) -> Page:
        page = open_page(*window, **options)
        page.route(lambda url: url in answers, answer)
        return page

    return open_one


@pytest.mark.parametrize("kind", ["audit", "comparison"])
@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_radar_and_gallery_are_seen_without_javascript(
    open_page: OpenPage, addresses: dict[str, str], kind: str, viewport: ViewportSize
) -> None:
    page = open_page(viewport, java_script_enabled=False)
    page.goto(addresses[kind])
    expect(page.get_by_role("img", name="Radar with five axes")).to_be_visible()
    pictures = page.locator(".exhibit img")
    assert pictures.count() >= 10
    for picture in pictures.all()[:3]:
        picture.scroll_into_view_if_needed()
        expect(picture).to_be_visible()
    assert all(picture.get_attribute("alt") for picture in pictures.all())


@pytest.mark.parametrize(
    ("kind", "scheme", "viewport"),
    [
        pytest.param("audit", "light", PHONE, id="audit-light-phone"),
        pytest.param("audit", "dark", DESKTOP, id="audit-dark-desktop"),
        pytest.param("comparison", "light", DESKTOP, id="comparison-light-desktop"),
        pytest.param("comparison", "dark", PHONE, id="comparison-dark-phone"),
    ],
)
def test_no_serious_finding(
    open_page: OpenPage, addresses: dict[str, str], kind: str, scheme: str, viewport: ViewportSize
) -> None:
    """Any two of the three, and every colour in every window, since both kinds share one style sheet."""
    page = open_page(viewport, color_scheme=scheme)
    page.goto(addresses[kind])
    assert serious_findings(page) == []
    assert sideways(page) == 0
    images = page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert images


def test_dark_is_dark_and_print_is_light(open_page: OpenPage, addresses: dict[str, str]) -> None:
    page = open_page(color_scheme="dark")
    page.goto(addresses["audit"])
    ground = "getComputedStyle(document.body).backgroundColor"
    line = "getComputedStyle(document.querySelector('svg text')).fill"
    dark, dark_text = page.evaluate(ground), page.evaluate(line)
    page.emulate_media(media="print")
    assert (dark, page.evaluate(ground)) == ("rgb(15, 20, 27)", "rgba(0, 0, 0, 0)")
    # The letters of the figures follow the page.
    assert (dark_text, page.evaluate(line)) == ("rgb(230, 235, 242)", "rgb(27, 36, 48)")
    assert not page.get_by_role("navigation").is_visible()


@pytest.mark.parametrize("kind", ["comparison", "six sides"])
def test_print_leaves_nothing_out(open_page: OpenPage, addresses: dict[str, str], six_sides: str, kind: str) -> None:
    """Neither cut at the right, nor behind a scroll bar, nor closed, and no number is torn."""
    page = open_page({"width": PAPER, "height": 1000})
    page.goto(six_sides if kind == "six sides" else addresses[kind])
    page.emulate_media(media="print")
    hidden = (
        "[...document.querySelectorAll('.scroll, pre')].filter(one => getComputedStyle(one).overflowX !== 'visible')"
    )
    assert page.evaluate(f"{hidden}.length") == 0
    # To the pixel: scrollWidth is rounded.
    tables = page.evaluate(RIGHT_EDGES)
    assert len(tables) > 10
    assert [caption for caption, right, height in tables if right > PAPER + 1 or not height] == []
    assert page.evaluate(TORN_NUMBERS) == []
    # A heading goes with its question, and both with the first figure.
    kept = "[...document.querySelectorAll('h2, h2 + p')].map(one => getComputedStyle(one).breakAfter)"
    assert set(page.evaluate(kept)) == {"avoid"}
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")


@pytest.mark.parametrize("kind", ["audit", "comparison"])
def test_paper_is_short_numbered_and_tagged(open_page: OpenPage, addresses: dict[str, str], kind: str) -> None:
    page = open_page()
    page.goto(addresses[kind])
    paper = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, format="A4", tagged=True)))
    assert len(paper.pages) <= 8
    root: Any = paper.trailer["/Root"]
    assert (root["/MarkInfo"]["/Marked"], root["/Lang"]) == (True, "en")
    ends = [text.extract_text().strip().splitlines() for text in paper.pages]
    numbers = [f"{number} / {len(ends)}" for number in range(1, len(ends) + 1)]
    assert [number in lines for number, lines in zip(numbers, ends, strict=True)] == [True] * len(ends)
    # Of every measure one sample, so large that it can be looked at.
    page.emulate_media(media="print")
    widths = page.evaluate(
        "[...document.querySelectorAll('.exhibit img')].map(one => one.getBoundingClientRect().width)"
    )
    assert set(widths) == {0, 224}
    assert widths.count(224) >= 9


def test_a_picture_is_large_on_a_click_and_by_keyboard(open_page: OpenPage, addresses: dict[str, str]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(addresses["audit"])
    picture = page.locator(".rows figure").first
    small = picture.bounding_box()
    picture.locator("img").click()
    large = picture.locator("img").bounding_box()
    picture.locator("summary").focus()
    page.keyboard.press("Space")
    again = picture.bounding_box()
    assert small is not None
    assert large is not None
    assert again is not None
    assert (large["width"], again["width"]) == (224, small["width"])
    assert small["width"] < 224


def test_a_telephone_shows_captions_and_conditions_without_scrolling_sideways(
    open_page: OpenPage, addresses: dict[str, str]
) -> None:
    page = open_page(PHONE)
    page.goto(addresses["comparison"])
    wide = "[...document.querySelectorAll('.caption')].filter(one => one.getBoundingClientRect().right > innerWidth)"
    assert page.evaluate(f"{wide}.length") == 0
    assert page.locator(".scroll .caption").count() == 0
    conditions = page.get_by_role("table", name="The gate's conditions")
    expect(conditions.get_by_role("row")).to_have_count(1 + 2)
    assert conditions.evaluate("table => table.scrollWidth <= table.closest('.scroll').clientWidth")
    lefts = conditions.evaluate(
        "table => [...table.querySelectorAll('td')].map(one => one.getBoundingClientRect().left)"
    )
    assert len(set(lefts)) == 1


def test_the_keyboard_reaches_every_section_and_every_table(open_page: OpenPage, addresses: dict[str, str]) -> None:
    page = open_page()
    page.goto(addresses["audit"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Overview"
    assert focus_is_visible(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#entropy$"))
    tables = page.locator(".scroll")
    assert all(table.get_attribute("tabindex") == "0" for table in tables.all())
    tables.first.focus()
    assert focus_is_visible(page)


def test_a_kept_file_is_whole(
    open_page: OpenPage, addresses: dict[str, str], answers: dict[str, httpx.Response], tmp_path: Path
) -> None:
    """Opened from a disk it asks nobody for anything; ``open_page`` would complain."""
    file = tmp_path / "report.html"
    file.write_bytes(answers[addresses["comparison"]].content)
    page = open_page()
    page.goto(file.as_uri())
    expect(page.get_by_role("heading", name="two strategies", level=1)).to_be_visible()
