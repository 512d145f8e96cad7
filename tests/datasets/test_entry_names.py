"""Which names of entries are refused: all that some system would take for another, or that a reader cannot see."""

import itertools

import pytest

from app.errors import InputFailure
from worker.archives.entry_names import checked_name, is_odd, is_too_long, name_key
from worker.archives.skipping import reason_to_skip

DEVICES = [
    "con",
    "PRN",
    "Aux",
    "NUL",
    "conin$",
    "CONOUT$",
    "COM0",
    "com9",
    "LPT1",
    "com\u00b9",
    "LPT\u00b2",
    "lpt\u00b3",
]
ENDINGS = ["", ".png", ".tar.gz", " .png", "   .png", ".a b"]
REORDERING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
HIDDEN = "\u00ad\u180e\u200b\u2028\u2029\u2060\u2064\u206a\ufeff\ufffb\U0001d173\U000e0001\U000e0020\U000e007f"
CONTROLS = "\0\1\t\n\r\x1b\x7f\x80\x9f\ud800"
JOINED = [
    "\U0001f469\u200d\U0001f52c.png",
    "\u0915\u094d\u200d\u0937.png",
    "\U0001f3f3\ufe0f\u200d\U0001f308.png",
    "\u0645\u06cc\u200c\u062e\u0648.png",
]


def refused(name: str) -> bool:
    with pytest.raises(InputFailure) as found:
        checked_name(name)
    return found.value.code == "archive-unsafe-path" and found.value.detail.isascii()


@pytest.mark.parametrize(("device", "ending"), list(itertools.product(DEVICES, ENDINGS)))
def test_devices_of_windows(device: str, ending: str) -> None:
    """Nothing is ever stored under the name, so that it does no harm."""
    for name in (f"a/{device}{ending}", f"{device}{ending}/1.png"):
        assert (checked_name(name), is_odd(name)) == (name, True)


def test_names_that_only_begin_like_devices() -> None:
    names = ["console.png", "com10.png", "lpt.png", "nul-1.png", "auxiliary", "con$.png", "a con.png", "com\u2074.png"]
    assert [(checked_name(name), is_odd(name)) for name in names] == [(name, False) for name in names]


@pytest.mark.parametrize(
    "name",
    ["C:/a.png", "c:a.png", "a/C:/b.png", "a:b/c.png", "b:1.png", "/a.png", "a//b.png", "../a.png", "a/../b.png"],
)
def test_drives_and_ways_out(name: str) -> None:
    assert refused(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a/b.png:stream", "tool-file"),
        ("1.png::$DATA", "tool-file"),
        ("a/b.txt:Zone.Identifier", "tool-file"),
        ("a/Icon\r", "tool-file"),
        ("@eaDir/1.png", "tool-file"),
        ("a/__MACOSX/1.png", "tool-file"),
        ("a/Thumbs.db", "tool-file"),
        ("a/~$list.xlsx", "tool-file"),
        ("a/.git/1.png", "hidden"),
        (".ipynb_checkpoints/1.png", "hidden"),
        ("a/more.tar.gz", "archive"),
        ("a/1:b.png", None),
        ("ratio 1:a/1.png", None),
        ("a/Icon", None),
    ],
)
def test_what_tools_leave(name: str, reason: str | None) -> None:
    assert (checked_name(name), reason_to_skip(name)) == (name, reason)


def test_limits() -> None:
    names = ["d/" * 15 + "x", "d/" * 16 + "x", "é" * 512, "é" * 513]
    found = [is_too_long(name, max_bytes=1024, max_depth=16) for name in names]
    assert found == [False, True, False, True]


def test_times() -> None:
    assert checked_name("a/2026-01-31T12:30:59.png") == "a/2026-01-31T12:30:59.png"


@pytest.mark.parametrize("character", REORDERING + HIDDEN + CONTROLS)
def test_what_reorders_hides_or_controls(character: str) -> None:
    for name in (f"a{character}b.png", f"{character}.png", f"x/\u00e9{character}\u00e9/1.png"):
        assert refused(name)


@pytest.mark.parametrize("name", JOINED)
def test_joiners_within_emoji_and_scripts(name: str) -> None:
    assert checked_name(name) == name
    assert name_key(name) == name_key(name.replace("\u200d", "").replace("\u200c", ""))


@pytest.mark.parametrize(
    "name",
    [
        "a\u200d.png",
        "\u200dab.png",
        "a\u200db.png",
        "\u00e9\u200d.png",
        "\u00e9\u200d\u200d\u00e9",
        "a\u200cb",
        "\u00e9\u200c\u200d\u00e9",
    ],
)
def test_joiners_that_join_nothing(name: str) -> None:
    assert refused(name)


def test_signs_that_are_seen_and_plain_names() -> None:
    for name in ("\u0600\u0661.png", "\u06dd\u0661.png", "\u65e5\u672c/1.png", "a b/c (1).png", "%2e%2e%2fevil.png"):
        assert checked_name(name) == name
