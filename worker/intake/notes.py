"""What the owner of a data set should know of how it was taken, in sentences."""

from collections.abc import Sequence

from worker.archives.skipping import ARCHIVE, HIDDEN, TOOL_FILE
from worker.intake.arrivals import Skipped

NOT_AN_IMAGE, NOT_IN_MANIFEST, DEAD_LINK = "not-an-image", "not-in-manifest", "hard-link-to-nothing"

_PHRASES = {
    HIDDEN: ("hidden file was skipped", "hidden files were skipped"),
    TOOL_FILE: ("file of systems and tools was skipped", "files of systems and tools were skipped"),
    ARCHIVE: ("archive inside was not opened", "archives inside were not opened"),
    NOT_AN_IMAGE: ("file is no image and was left out", "files are no images and were left out"),
    NOT_IN_MANIFEST: (
        "image is not in the manifest and was left out",
        "images are not in the manifest and were left out",
    ),
    "symbolic-link": ("symbolic link was left out", "symbolic links were left out"),
    DEAD_LINK: (
        "hard link leads to no file before it and was left out",
        "hard links lead to no file and were left out",
    ),
    "name-too-long": ("file has too long or deep a name and was left out", "files have too long or deep names"),
}
_WAYS_OUT = {
    ARCHIVE: "Unpack them, and pack the images themselves.",
    "symbolic-link": "Pack the files that they lead to (tar -h).",
    "name-too-long": "MAX_PATH_BYTES and MAX_PATH_DEPTH limit them.",
}


def skipped_notes(skipped: Skipped) -> list[str]:
    """One for each reason, with the first names."""
    notes = []
    for reason, count in skipped.counts.items():
        one, many = _PHRASES[reason]
        note = f"{count} {one if count == 1 else many}: {skipped.examples(reason)}."
        notes.append(f"{note} {_WAYS_OUT[reason]}" if reason in _WAYS_OUT else note)
    return notes


def counted(count: int, one: str, many: str) -> list[str]:
    """A note where there is something to count."""
    return [f"1 {one}" if count == 1 else f"{count} {many}"] if count else []


def listed(names: Sequence[str], most: int = 5) -> str:
    """Quoted, the first few."""
    return ", ".join(f"{name[:100]!a}" for name in names[:most]) + (", ..." if len(names) > most else "")
