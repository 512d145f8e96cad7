"""Which names an archive's entries may have, and which are only unusual."""

import hashlib
import re
import unicodedata

from app.errors import InputFailure

# Windows drops blanks before an extension, and takes the superscript digits of Latin-1 for digits.
_WINDOWS = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(\..*)?",
    re.IGNORECASE | re.DOTALL,
)
_DRIVE = re.compile(r"[A-Za-z]:")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that control, reorder or hide."""
# Signs of Arabic, Syriac and Kaithi that span the digits behind them: of category Cf, but they are seen.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS = re.compile("[\u200c\u200d]")
_JOINING = re.compile("(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
"""As emoji, Persian and Indian scripts need one; anywhere else it only hides."""
_FOLDER_ICON = re.compile(r"(^|/)Icon\r$")
"""A file of the Finder's, whose name ends with a carriage return."""


def from_here(name: str) -> str:
    """With slashes between folders, without the dot that ``tar -C folder -c .`` and ``find .`` put before every name;
    of that folder, nothing."""
    return name.replace("\\", "/").removeprefix("./")


def checked_name(name: str) -> str:
    """The name in NFC. Raises InputFailure ``archive-unsafe-path``, quoting it in plain ASCII.

    Refused is what would leave a folder that it were unpacked into, and what a reader would not see as it is.
    """
    normal = unicodedata.normalize("NFC", name)
    parts = _FOLDER_ICON.sub(r"\1Icon", normal).removesuffix("/").split("/")
    if any(map(_unsafe, parts)):
        detail = "a name may not lead out of its folder, hold a drive or characters that control or hide"
        raise InputFailure("archive-unsafe-path", f"The entry name {name[:200]!a} is not allowed: {detail}. Rename it.")
    return normal


def is_too_long(name: str, *, max_bytes: int, max_depth: int) -> bool:
    """Whether it passes the limits; that is the entry's own problem."""
    encoded = len(name.encode("utf-8", "surrogatepass"))
    return encoded > max_bytes or name.removesuffix("/").count("/") >= max_depth


def is_odd(name: str) -> bool:
    """Whether Windows could not store it: read in place it does no harm."""
    return any(part[-1:] in {".", " "} or ":" in part or bool(_WINDOWS.fullmatch(part)) for part in name.split("/"))


def name_key(name: str) -> bytes:
    """Equal for names that show the same letters; of the joiners between some, file systems see nothing."""
    return hashlib.sha256(unicodedata.normalize("NFC", _JOINERS.sub("", name.removesuffix("/"))).encode()).digest()


def _unsafe(part: str) -> bool:
    return (
        part in {"", ".", ".."}
        or bool(_DRIVE.match(part))
        or (not (part.isascii() and part.isprintable()) and any(map(_hidden, _JOINING.sub("", part))))
    )


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _SEEN
