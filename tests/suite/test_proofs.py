"""The list of what each test file proves names every file there is, with a sentence of its own."""

import subprocess
from collections import Counter

from tests.suite.proofs import PLACE, ROOT, as_markdown, files, on_page_markdown, proof


def test_every_file_says_what_it_proves() -> None:
    told = {str(path): proof(path) for path in files()}
    assert [path for path, sentence in told.items() if not sentence.endswith(".")] == []
    assert [sentence for sentence, count in Counter(told.values()).items() if count > 1] == []


def test_the_list_holds_every_file_that_git_knows() -> None:
    command = ["git", "ls-files", "tests/**/test_*.py"]
    known = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    listed = as_markdown()
    assert known
    assert [path for path in known if f"`{path.rpartition('/')[2]}`" not in listed] == []
    assert listed.count("\n- ") >= len(known)


def test_the_page_has_a_place_for_it() -> None:
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert page.count(PLACE) == 1
    assert as_markdown() in on_page_markdown(page)
