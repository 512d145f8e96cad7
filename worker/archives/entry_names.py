"""Which names an archive's entries may have."""

import hashlib
import re
import unicodedata

from app.errors import InputFailure

_JUNK = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._[^/]*$)", re.IGNORECASE)
# Windows drops blanks before an extension, and takes the superscript digits of Latin-1 for digits.
_WINDOWS = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]) *(\..*)?",
    re.IGNORECASE | re.DOTALL,
)
_COLON = re.compile(r"(?<![0-9]):|:(?![0-9])")
"""Of a drive, or of a stream of NTFS; between digits it is that of a time."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that control, reorder or hide."""
# Signs of Arabic, Syriac and Kaithi that span the digits behind them: of category Cf, but they are seen.
_SEEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
_JOINERS = re.compile("[\u200c\u200d]")
_JOINING = re.compile("(?<=[^\x00-\x7f\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
"""As emoji, Persian and Indian scripts need one; anywhere else it only hides."""


def from_here(name: str) -> str:
    """Without the dot that ``tar -C folder -c .`` and ``find .`` put before every name; of that folder, nothing."""
    return name.removeprefix("./")


def checked_name(name: str, *, max_bytes: int, max_depth: int) -> str:
    """The name in NFC. Raises InputFailure ``archive-unsafe-path``, quoting it in plain ASCII."""
    normal = unicodedata.normalize("NFC", name)
    parts = normal.removesuffix("/").split("/")
    encoded = len(normal.encode("utf-8", "surrogatepass"))
    if encoded > max_bytes or len(parts) > max_depth or any(map(_unsafe, parts)):
        raise InputFailure("archive-unsafe-path", f"The entry name {name[:200]!a} is not allowed.")
    return normal


def _unsafe(part: str) -> bool:
    return (
        part in {"", ".", ".."}
        or part[-1] in ". "
        or "\\" in part
        or bool(_COLON.search(part))
        or bool(_WINDOWS.fullmatch(part))
        or (not (part.isascii() and part.isprintable()) and any(map(_hidden, _JOINING.sub("", part))))
    )


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _SEEN


def name_key(name: str) -> bytes:
    """Equal for names that some file system would take for one: HFS+ ignores joiners too."""
    folded = _JOINERS.sub("", name.removesuffix("/").casefold())
    return hashlib.sha256(unicodedata.normalize("NFC", folded).encode()).digest()


def is_junk(name: str) -> bool:
    """What operating systems leave in archives."""
    return bool(_JUNK.search(name))
