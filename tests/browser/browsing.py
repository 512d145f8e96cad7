"""What the browser tests watch for: complaints of the page, requests to elsewhere, findings of axe-core."""

from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request, ViewportSize

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}

SERIOUS = ("serious", "critical")
# All rules run; of what passes, which is nearly all of a long page, no list of elements is made.
ONLY_VIOLATIONS = {"resultTypes": ["violations"]}

# Every transition and animation that runs by the clock and has an end; ten seconds at most.
REST = """async () => {
    const ends = one => one.effect.getComputedTiming().endTime !== Infinity;
    const runs = one => one.playState === "running" && one.timeline === document.timeline;
    const moving = document.getAnimations().filter(one => runs(one) && ends(one)).map(one => one.finished);
    await Promise.race([Promise.allSettled(moving), new Promise(done => setTimeout(done, 10000))]);
}"""


def watch(page: Page, complaints: list[str]) -> None:
    """From now on, note what a quiet page has none of: errors and warnings on its console, uncaught errors, requests
    that leave its origin (for a ``file:`` page, every request but the one for itself), and requests that fail."""
    page.on("console", lambda message: _note_message(message.type, message.text, complaints))
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on("request", lambda request: complaints.append(f"left: {request.url}") if leaves(request) else None)
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}: {request.failure}"))


def leaves(request: Request) -> bool:
    """Whether a request asks somebody else than the page's own origin."""
    asked, own = urlsplit(request.url), urlsplit(request.frame.url)
    is_page = request.is_navigation_request() and request.frame.parent_frame is None
    if is_page or asked.scheme in {"data", "blob"}:
        return False
    return own.scheme == "file" or (asked.scheme, asked.netloc) != (own.scheme, own.netloc)


def serious_findings(page: Page) -> list[str]:
    """axe-core's serious and critical violations of the page as it is shown now, one line an element.

    A colour on its way to another is neither's contrast, so what moves is let come to rest first. axe-core comes by
    way of the debugger, so that the page's policy stays in force.
    """
    page.evaluate(REST)
    violations = Axe().run(page, options=ONLY_VIOLATIONS).response["violations"]
    return [_line(rule, node) for rule in violations if rule["impact"] in SERIOUS for node in rule["nodes"]]


def sideways(page: Page) -> int:
    """By how many pixels the page is wider than its window: 0 where nobody has to scroll sideways."""
    wider: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return wider


def focus_is_visible(page: Page) -> bool:
    """Whether the element that has the keyboard's focus shows an outline or a shadow."""
    script = """() => {
        const style = getComputedStyle(document.activeElement);
        const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
        return outlined || style.boxShadow !== "none";
    }"""
    visible: bool = page.evaluate(script)
    return visible


def _note_message(kind: str, text: str, complaints: list[str]) -> None:
    if kind in {"error", "warning"}:
        complaints.append(f"console {kind}: {text}")


def _line(rule: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{rule['id']} ({rule['impact']}) {' '.join(map(str, node['target']))}: {node['failureSummary']}"
