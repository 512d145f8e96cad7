"""In which code page an archive's names are that do not say it: found over all of them together."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise

import chardet

from app.errors import InputFailure

PAGES = (
    "utf-8",
    "cp437",
    "cp850",
    "cp852",
    "cp866",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
)
"""What archivers of DOS and Windows wrote, and UTF-8."""
WINDOWS_PAGES = tuple(page for page in PAGES if page not in {"cp437", "cp850", "cp852", "cp866"})
"""What spreadsheets write."""
_WIDE = frozenset({"cp932", "gb18030", "big5", "cp949"})
_KOREAN = "cp949"
_DOS, _LIKELIER = frozenset({"cp437", "cp850", "cp852", "cp866"}), 0.03
"""The pages of ZIP's own systems, and what chardet's confidences may differ by where they say nothing."""
_SURE = 0.1
"""Confidence of chardet's from which on it is right about two or three words."""
_SAMPLE_BYTES = 64 * 1024


class NameDecoder:
    """Decodes names that do not say what they are in: by the given encoding, else by the one that fits them all."""

    def __init__(self, undeclared: Callable[[], Iterator[bytes]], encoding: str | None = None) -> None:
        """``undeclared`` goes through all such names of the archive; it is called once, and only where there is one."""
        self._undeclared = undeclared
        self.encoding = encoding
        self.assumed: str | None = None
        """The encoding, where it was found rather than said."""

    def decode(self, raw: bytes) -> str:
        """Raises InputFailure ``archive-malformed`` for a name that the encoding does not have."""
        if raw.isascii():
            return raw.decode("ascii")
        if self.encoding is None:
            self.encoding = self.assumed = detect_encoding(self._undeclared())
        try:
            return raw.decode(self.encoding)
        except (UnicodeDecodeError, LookupError) as error:
            detail = f"The name {raw[:200]!r} is not {self.encoding}. Say with name_encoding which code page it is in."
            raise InputFailure("archive-malformed", detail) from error


def detect_encoding(names: Iterable[bytes], pages: Sequence[str] = PAGES) -> str:
    """The code page in which all names are text, and the likeliest text; ``utf-8`` where none fits."""
    words = _words(names)
    fitting = [page for page in pages if all(map(_is_text(page), words))]
    if "utf-8" in fitting:
        if _looks_like_utf8([word.decode("utf-8") for word in words]):
            return "utf-8"
        fitting.remove("utf-8")
    if not fitting:
        return "utf-8"
    found = chardet.detect_all(b" ".join(words), include_encodings=pages, ignore_threshold=True, compat_names=False)
    ranked = {str(one["encoding"]).lower(): float(one["confidence"]) for one in found}
    return max(fitting, key=lambda page: _rank(page, ranked.get(page, 0.0), [word.decode(page) for word in words]))


def _rank(page: str, confidence: float, words: list[str]) -> tuple[bool, bool, bool, float, float]:
    """A sure one first. Of unsure ones those whose bytes fit in pairs, as chance seldom makes them; then those with
    more letters. Korean has few words that chardet is not sure of, while short Chinese ones often pass for Korean."""
    text = "".join(words)
    letters = sum(map(_is_letter, text)) / len(text)
    mixed = sum(_has_ascii_letter_beside(word) for word in words) / len(words)
    is_wide = page in _WIDE and mixed < 0.5
    return (
        confidence >= _SURE and (is_wide or page not in _WIDE),
        is_wide and page != _KOREAN and letters > 0.9,
        is_wide or page not in _WIDE,
        round(letters, 2),
        confidence + _LIKELIER * (page in _DOS),
    )


def _is_letter(character: str) -> bool:
    """Half-width kana are what other scripts look like in the page of Japan."""
    return (character.isalpha() or unicodedata.combining(character) > 0) and not "\uff61" <= character <= "\uff9f"


def _looks_like_utf8(words: list[str]) -> bool:
    """Three bytes in a row that fit are no accident. Two may be: what is in them must be of scripts that use them."""
    letters = [character for word in words for character in word if not character.isascii()]
    if any(ord(letter) >= 0x800 for letter in letters):
        return True
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in letters}
    if scripts == {"LATIN"}:
        is_common = all(ord(letter) < 0x180 for letter in letters)
        return is_common and 2 * sum(map(_has_ascii_letter_beside, words)) >= len(words)
    return len(scripts) == 1 or scripts <= {"LATIN", "COMBINING"}


def _has_ascii_letter_beside(word: str) -> bool:
    """As letters of Europe have, and those of East Asia seldom."""
    return any(one.isascii() != other.isascii() and one.isalpha() and other.isalpha() for one, other in pairwise(word))


def _words(names: Iterable[bytes]) -> list[bytes]:
    """Folders' and files' names, each once, those that are ASCII left out; as many as tell enough."""
    found: dict[bytes, None] = {}
    size = 0
    for name in names:
        # A second byte may be that of a backslash, but never that of a slash.
        for part in name.split(b"/"):
            if not part.isascii() and part not in found:
                found[part] = None
                size += len(part)
        if size > _SAMPLE_BYTES:
            break
    return list(islice(found, 10_000))


def _is_text(page: str) -> Callable[[bytes], bool]:
    def decodes(word: bytes) -> bool:
        try:
            text = word.decode(page)
        except UnicodeDecodeError:
            return False
        return not any(unicodedata.category(character) in {"Cc", "Cn", "Co"} for character in text)

    return decodes
