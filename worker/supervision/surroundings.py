"""What a child is born into: few variables, and a scratch folder that goes with it."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_NAMES = frozenset(
    {
        *("PATH", "HOME", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR"),
        *("PYTHONPATH", "PYTHONHOME", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
    }
)
# AWS_: the child reads blobs itself.
_PREFIXES = ("LC_", "CUDA_", "NVIDIA_", "CUBLAS_", "TORCH_", "PYTORCH_", "OMP_", "MKL_", "KMP_", "GOMP_", "AWS_")
_FOLDER = "salience-audit-child-"
_YOUNG_SECONDS = 60.0


def child_environment(inherited: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """An allow-list: neither the database's address nor the broker's is on it."""
    kept = {name: value for name, value in inherited.items() if name in _NAMES or name.startswith(_PREFIXES)}
    return kept | {"TMPDIR": str(scratch)}


class Scratch:
    """A temporary folder under a lock that the kernel drops with its owner, however that ends."""

    def __init__(self) -> None:
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_FOLDER))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def _sweep() -> None:
    """Folders of workers that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime < _YOUNG_SECONDS:
                continue
            lock = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)
