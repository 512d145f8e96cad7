"""Where a process that only computes may still read: code, facts about the processor, a GPU's driver."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from worker.sandbox.landlock import DEVICE, READ, SCRATCH, Access

_PACKAGES = ("app", "worker")
_ROOT = Path(__file__).resolve().parents[2]
_PROCESSOR = ("/proc/cpuinfo", "/sys/devices/system/cpu")
_GPU_READABLE = ("/proc/driver", "/proc/self", "/proc/devices", "/proc/meminfo", "/sys", "/usr/lib")
_GPU_LIBRARIES = ("/lib", "/lib64", "/usr/lib64", "/usr/local", "/opt", "/etc/ld.so.cache")
_GPU_DEVICES = ("nvidia*", "dri/*")


def reachable(scratch: Path | None, *, gpu: bool) -> Iterator[tuple[Path, Access]]:
    """Rules for a process with this scratch folder, or none."""
    if scratch is not None:
        yield scratch, SCRATCH
    for device in ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"):
        yield Path(device), Access.READ_FILE | Access.WRITE_FILE
    for place in (*_code(), *map(Path, _PROCESSOR)):
        yield place, READ
    if gpu:
        yield from _of_gpu()


def _code() -> Iterator[Path]:
    """Modules that something imports only when it needs them: the interpreter's, installed packages, our own."""
    for kind in ("stdlib", "platstdlib", "purelib", "platlib"):
        yield Path(sysconfig.get_path(kind)).resolve()
    for name in _PACKAGES:
        yield _ROOT / name
    for folder in sys.path:
        if Path(folder).name in {"site-packages", "dist-packages"}:
            yield Path(folder).resolve()


def _of_gpu() -> Iterator[tuple[Path, Access]]:
    """The driver opens its devices again for every thread, and loads libraries as it needs them."""
    folders = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    for name in (*_GPU_READABLE, *_GPU_LIBRARIES, *filter(None, folders)):
        yield Path(name), READ
    for pattern in _GPU_DEVICES:
        for device in Path("/dev").glob(pattern):
            yield device, DEVICE | READ
