"""Files of the operator's: opened within a root, through no link."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import EgressFailure

READ_BYTES = 1024**2
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# A pipe that somebody put there would wait for whoever writes to it.
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@contextmanager
def opened(root: str, inner: tuple[str, ...]) -> Iterator[int]:
    """The folder's descriptor: from the root on no part of the way may be a link; the root itself may be one."""
    folder = descriptor_of(root, FOLDER & ~os.O_NOFOLLOW, None)
    try:
        for part in inner:
            before, folder = folder, descriptor_of(part, FOLDER, folder)
            os.close(before)
        yield folder
    finally:
        os.close(folder)


def descriptor_of(name: str, flags: int, within: int | None) -> int:
    """Raises EgressFailure."""
    try:
        return os.open(name, flags, dir_fd=within)
    except (OSError, ValueError) as error:
        raise not_there() from error


def not_there() -> EgressFailure:
    detail = "There is no such file, and no such folder with files, that can be read; links are not followed."
    return EgressFailure("registry-not-found", detail)
