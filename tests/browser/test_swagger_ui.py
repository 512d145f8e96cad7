"""Swagger UI as people use it: with the mouse, with the keyboard, in the dark, on a phone."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.rooms import TAGS
from tests.browser.browsing import DESKTOP, PHONE, focus_is_visible, serious_findings, sideways, watch
from tests.browser.conftest import WAIT_MILLISECONDS
from tests.waiting import WEIGHTS, wait_for

OpenPage = Callable[..., Page]

# A body with examples, a file, something that deletes; a list with filters and its answer come on top.
SHOWN = ["models-create-model", "models-put-content", "gates-delete-gate"]


@pytest.fixture(scope="module")
def docs(browser: Browser, service: httpx.Client) -> Iterator[tuple[Page, list[str]]]:
    """One page with the key put in, and its complaints: to show all operations takes seconds of processor time."""
    context = browser.new_context(viewport=DESKTOP)
    context.set_default_timeout(WAIT_MILLISECONDS)
    page, complaints = context.new_page(), list[str]()
    watch(page, complaints)
    authorize(visit(page, service), service)
    yield page, complaints
    context.close()


@pytest.fixture
def authorized(docs: tuple[Page, list[str]]) -> Iterator[Page]:
    """For tests that look at operations, each at its own."""
    page, complaints = docs
    yield page
    assert complaints == []


def visit(page: Page, service: httpx.Client) -> Page:
    page.goto(str(service.base_url.join("/docs")))
    expect(page.locator(".opblock").first).to_be_visible()
    return page


def operation(page: Page, operation_id: str) -> Locator:
    """Opened where it is not open."""
    block = page.locator(f".opblock[id$='-{operation_id}']")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    expect(block.locator(".responses-inner").first).to_be_visible()
    return block


def authorize(page: Page, service: httpx.Client) -> None:
    page.get_by_role("button", name="Authorize", exact=True).click()
    expect(page.get_by_label("API key")).to_have_attribute("type", "password")
    page.get_by_label("API key").fill(service.headers["Authorization"].removeprefix("Bearer "))
    page.get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux .btn-done").click()
    expect(page.locator(".modal-ux")).to_have_count(0)


def execute(block: Locator) -> Locator:
    """The live answer."""
    block.get_by_role("button", name="Execute").click()
    live = block.locator(".live-responses-table .response")
    expect(live).to_be_visible()
    return live


def shown_json(live: Locator) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(live.locator("pre.microlight").first.inner_text())
    return found


def test_all_tags_stand_in_the_order_of_use(authorized: Page) -> None:
    assert authorized.title() == "Salience audit: API"
    headings = authorized.locator("h3.opblock-tag")
    assert [heading.get_attribute("data-tag") for heading in headings.all()] == [tag["name"] for tag in TAGS]
    for heading in headings.all():
        expect(heading).to_be_visible()


def test_authorize(page: Page, service: httpx.Client, complaints: list[str]) -> None:
    live = execute(operation(visit(page, service), "models-get-models"))
    assert shown_json(live)["code"] == "unauthenticated"

    authorize(page, service)
    block = operation(page, "models-get-models")
    live = execute(block)
    expect(live.locator(".response-col_status")).to_contain_text("200")
    # Who looks over a shoulder, or gets a screenshot, has no key.
    expect(block.locator(".curl-command pre")).to_contain_text("Bearer ********")
    assert service.headers["Authorization"].removeprefix("Bearer ") not in page.content()
    assert shown_json(live).keys() == {"items", "next_cursor"}

    # The address names the operation, and the browser keeps the key.
    page.reload()
    expect(page.locator(".opblock.is-open")).to_have_count(1)
    expect(page.get_by_label("authorization button locked").first).to_be_visible()
    # The browser tells of the one refusal when it pleases.
    assert [text for text in complaints if "401" not in text] == []
    assert len(complaints) <= 1
    complaints.clear()


def test_an_example_is_sent_and_a_file_uploaded(authorized: Page, service: httpx.Client) -> None:
    """The whole way of a model, without a line typed but its id."""
    live = execute(operation(authorized, "models-create-model"))
    expect(live.locator(".response-col_status")).to_contain_text("201")
    model = shown_json(live)

    upload = operation(authorized, "models-put-content")
    upload.get_by_placeholder("model_id").fill(str(model["id"]))
    with authorized.expect_file_chooser() as chooser:
        upload.get_by_label("File to upload").click()
    weights = WEIGHTS / "cross_entropy_run1.safetensors"
    chooser.value.set_files(weights)
    live = execute(upload)
    expect(live.locator(".response-col_status")).to_contain_text("202")
    assert shown_json(live)["content_size"] == weights.stat().st_size
    assert wait_for(service, f"/v1/models/{model['id']}", "ready", "rejected")["status"] == "ready"


def test_a_salience_map_is_shown(authorized: Page, service: httpx.Client, first: dict[str, Any]) -> None:
    """A picture is asked for by the list of media types, and the page's policy lets it be seen."""
    block = operation(authorized, "audits-get-map")
    sample = service.get(f"/v1/audits/{first['id']}/samples?limit=1").json()["items"][0]
    block.get_by_placeholder("audit_id").fill(first["id"])
    block.get_by_placeholder("sample_id").fill(sample["sample_id"])
    block.locator("select.content-type").first.select_option("image/png")
    picture = execute(block).locator("img")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 224)


def test_a_report_opens_as_a_page(authorized: Page, first: dict[str, Any]) -> None:
    block = operation(authorized, "audits-get-audit-report")
    block.get_by_placeholder("audit_id").fill(first["id"])
    execute(block)
    with authorized.expect_popup() as opened:
        block.get_by_role("link", name="Open the page").click()
    expect(opened.value.get_by_role("heading", name="Provenance")).to_be_visible()
    opened.value.close()


def test_refusals_have_a_page(authorized: Page) -> None:
    block = operation(authorized, "models-create-model")
    with authorized.expect_popup() as opened:
        block.get_by_role("link", name="All refusals").click()
    expect(opened.value.locator("h2:target")).to_have_text("POST /v1/models")
    assert serious_findings(opened.value) == []
    opened.value.close()


def test_a_data_set_has_a_file_chooser(authorized: Page) -> None:
    block = operation(authorized, "data-sets-put-content")
    assert block.get_by_label("File to upload").get_attribute("type") == "file"


def test_another_example_can_be_chosen(authorized: Page) -> None:
    block = operation(authorized, "gates-create-gate")
    block.get_by_label("Example").first.select_option("Against a baseline audit")
    expect(block.get_by_label("Request body")).to_have_value(re.compile("not worse than baseline"))


def test_schemas_are_shown_with_what_they_refer_to(authorized: Page) -> None:
    """`start.js` puts the schemas where the document refers to them, in place of Swagger UI."""
    block = operation(authorized, "gates-create-gate")
    answers = block.locator(".responses-wrapper")
    answers.get_by_role("tab", name="Schema").first.click()
    shown = answers.locator(".json-schema-2020-12").first
    expect(shown).to_contain_text("Gate")
    expect(shown).not_to_contain_text("#/components")
    answers.get_by_role("button", name="Expand all").first.click()
    expect(shown).to_contain_text("conditions")


def test_keyboard(page: Page, service: httpx.Client) -> None:
    """Tab gets to the Authorize button and to an operation, and one sees where it is; Enter opens it."""
    visit(page, service)
    tab_to(page, "authorize")
    page.keyboard.press("Enter")
    expect(page.locator(".modal-ux")).to_be_visible()
    tab_to(page, "btn-done")
    page.keyboard.press("Enter")
    expect(page.locator(".modal-ux")).to_have_count(0)
    tab_to(page, "opblock-summary-control")
    block = page.locator(".opblock", has=page.locator(":focus")).first
    page.keyboard.press("Enter")
    expect(block.locator(".opblock-body")).to_be_visible()
    page.keyboard.press("Enter")
    expect(block.locator(".opblock-body")).to_have_count(0)


def tab_to(page: Page, css_class: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        assert focus_is_visible(page)
        if page.evaluate("name => document.activeElement.classList.contains(name)", css_class):
            return
    pytest.fail(f"no Tab gets to {css_class}")


@pytest.mark.parametrize(("window", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")], ids=["desktop", "phone"])
def test_no_serious_findings(open_page: OpenPage, service: httpx.Client, window: dict[str, int], scheme: str) -> None:
    page = visit(open_page(window, color_scheme=scheme), service)
    for function in SHOWN:
        operation(page, function)
    authorize(page, service)
    execute(operation(page, "models-get-models"))
    assert serious_findings(page) == []
    assert sideways(page) == 0
    is_dark = page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(28, 32, 34)"
    assert is_dark == (scheme == "dark")


def test_without_scripts_it_says_where_the_document_is(open_page: OpenPage, service: httpx.Client) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(str(service.base_url.join("/docs")))
    page.get_by_role("link", name="/openapi.json").click()
    expect(page).to_have_url(re.compile("/openapi.json$"))
