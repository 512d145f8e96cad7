"""Which files of an archive are nobody's data: what systems and tools leave beside it."""

import re

from app.imaging.kinds import promised_kind

HIDDEN, TOOL_FILE, ARCHIVE = "hidden", "tool-file", "archive"
"""Reasons why an entry is skipped."""

_TOOL_FOLDERS = frozenset(
    {
        "__macosx",
        "@eadir",
        "#recycle",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__pycache__",
        "@recycle",
        "@sharebin",
    }
)
_TOOL_FILES = re.compile(
    r"thumbs\.db|ehthumbs(_vista)?\.db|desktop\.ini|icon\r|~\$.*|.*\.(lock|lck|crdownload|part|swp|tmp)", re.IGNORECASE
)
_STREAM = re.compile(r"(.*?):[^:]*(:\$DATA)?", re.DOTALL)
"""Of NTFS: ``cat.png:Zone.Identifier``."""
_ARCHIVES = (".zip", ".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tzst", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")


def reason_to_skip(name: str) -> str | None:
    """By the name alone, which is a checked one; None for what may be data."""
    parts = name.removesuffix("/").split("/")
    if any(part.startswith(".") for part in parts):
        return HIDDEN
    folders = parts if name.endswith("/") else parts[:-1]
    if any(part.casefold() in _TOOL_FOLDERS for part in folders):
        return TOOL_FILE
    if name.endswith("/"):
        return None
    if _TOOL_FILES.fullmatch(parts[-1]) or _is_stream(parts[-1]):
        return TOOL_FILE
    return ARCHIVE if parts[-1].casefold().endswith(_ARCHIVES) else None


def _is_stream(file: str) -> bool:
    """Behind the name of an image, or one that Windows writes."""
    match = _STREAM.fullmatch(file)
    return match is not None and (promised_kind(match[1]) is not None or file.casefold().endswith(":zone.identifier"))
