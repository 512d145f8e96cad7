"""The watchers of these tests see what they are there to see."""

import time
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.browsing import serious_findings, sideways
from tests.waiting import PATIENCE_SECONDS

BAD = """<!doctype html><html lang="en"><title>bad</title><main style="width: 3000px">
<img src="http://127.0.0.1:9/elsewhere.png"><p style="color: #ddd; background: #fff">pale</p></main>
<script>console.error("said aloud"); setTimeout(() => { throw new Error("never caught"); });</script></html>"""


def test_a_bad_page_is_noticed(page: Page, complaints: list[str], tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(BAD)
    page.goto((tmp_path / "bad.html").as_uri())
    expected = ("left: http://127.0.0.1:9/", "failed: http://127.0.0.1:9/", "said aloud", "uncaught: never caught")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while missing := [noticed for noticed in expected if not any(noticed in text for text in complaints)]:
        assert time.monotonic() < deadline, (missing, complaints)
        page.wait_for_timeout(50)
    assert {finding.partition(" ")[0] for finding in serious_findings(page)} == {"color-contrast", "image-alt"}
    assert sideways(page) > 1000
    complaints.clear()


def test_what_moves_is_judged_when_it_rests(page: Page) -> None:
    page.set_content("""<!doctype html><html lang="en"><title>moving</title><style>
        @keyframes turn { to { rotate: 1turn; } }
        p { background: #fff; color: #fff; transition: color 1s; }
        i { animation: turn 1s infinite; }
        </style><main><h1>Moving</h1><p>from white to black</p><i>for ever</i></main></html>""")
    text = "document.querySelector('p')"
    page.evaluate(f"getComputedStyle({text}).color; {text}.style.color = '#000'")
    assert serious_findings(page) == []
