"""Which names an archive's entries may have."""

import hashlib
import re
import unicodedata

from app.errors import InputFailure

_JUNK = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|desktop\.ini$|\._[^/]*$)", re.IGNORECASE)
_WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_name(name: str, *, max_bytes: int, max_depth: int) -> str:
    """The name in NFC. Raises InputFailure ``archive-unsafe-path``, quoting it in plain ASCII."""
    normal = unicodedata.normalize("NFC", name)
    parts = normal.removesuffix("/").split("/")
    encoded = len(normal.encode("utf-8", "surrogatepass"))
    if encoded > max_bytes or len(parts) > max_depth or any(map(_unsafe, parts)) or re.match(r"[a-zA-Z]:", normal):
        raise InputFailure("archive-unsafe-path", f"The entry name {name[:200]!a} is not allowed.")
    return normal


def _unsafe(part: str) -> bool:
    return (
        part in {"", ".", ".."}
        or part[-1] in ". "
        or "\\" in part
        or bool(_WINDOWS.fullmatch(part))
        or any(character in _BIDI or unicodedata.category(character) in {"Cc", "Cs"} for character in part)
    )


def name_key(name: str) -> bytes:
    """Equal for names that some file system would take for one."""
    return hashlib.sha256(unicodedata.normalize("NFC", name.removesuffix("/").casefold()).encode()).digest()


def is_junk(name: str) -> bool:
    """What operating systems leave in archives."""
    return bool(_JUNK.search(name))
