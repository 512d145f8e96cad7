"""As many open files as the system allows: every connection takes one."""

import resource
from contextlib import suppress


def raise_open_files() -> None:
    """From the limit that a shell gives, often 1,024, to the one that it may give; a thousand streams take more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # macOS promises more than it gives.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
