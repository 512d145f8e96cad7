"""What a process of ours that needs neither the service's settings nor its secrets is started with."""

import os

_NEEDED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "MPLCONFIGDIR", "LD_LIBRARY_PATH")


def child_environment() -> dict[str, str]:
    """What Python and matplotlib need, and nothing else."""
    return {name: os.environ[name] for name in _NEEDED if name in os.environ}
