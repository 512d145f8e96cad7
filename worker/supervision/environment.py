"""What a child starts with: no environment to speak of, and a scratch folder that goes with it."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

TF32_OVERRIDES = ("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE")
"""Libraries would follow them against what we set, and compute with ten bits."""
# The dynamic linker reads it before the child can be told anything.
_FROM_THE_START = ("LD_LIBRARY_PATH",)
_PREFIXES = ("CUDA_", "NVIDIA_", "CUBLAS_", "CUDNN_", "TORCH_", "PYTORCH_", "OMP_", "MKL_", "KMP_", "GOMP_")
_NEVER = ("TORCH_FORCE_", *TF32_OVERRIDES)
# OpenBLAS would start threads as it is imported, before Landlock could reach them; torch does not use it. And whoever
# asks for a GPU as it is imported must not start CUDA: what is forked then could not use it.
LIBRARY_DEFAULTS = {
    "OPENBLAS_NUM_THREADS": "1",
    # Of Arrow: a forkserver has one thread.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # without it cuBLAS repeats no bits
}
# After each of torch's loops GNU OpenMP's threads spin for milliseconds, on the cores that whatever comes between two
# loops needs; a tenth of a millisecond is enough to be there for the next. An operator's own choice stands.
PATIENCE = {"GOMP_SPINCOUNT": "10000"}
_CHOICE = "OMP_WAIT_POLICY"
_FOLDER = "salience-audit-child-"
_YOUNG_SECONDS = 60.0


def initial_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Of the new process: empty, but where the operator's libraries lie."""
    return {name: inherited[name] for name in _FROM_THE_START if name in inherited}


def library_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """How libraries are to compute: what they read as they are imported."""
    kept = {name: value for name, value in inherited.items() if name.startswith(_PREFIXES)}
    tuning = {name: value for name, value in kept.items() if not name.startswith(_NEVER)}
    return ({} if _CHOICE in tuning else PATIENCE) | tuning | LIBRARY_DEFAULTS


class Scratch:
    """A temporary folder under a lock that the kernel drops with its owner, however that ends."""

    def __init__(self) -> None:
        _sweep()
        self.path = Path(tempfile.mkdtemp(prefix=_FOLDER))
        self._lock = os.open(self.path, os.O_RDONLY)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def holds_more_than(self, bytes_allowed: int, files_allowed: int) -> bool:
        """On the disk. There is nothing to descend into: a child can make no folders."""
        taken = files = 0
        with suppress(OSError), os.scandir(self.path) as entries:
            for entry in entries:
                files += 1
                with suppress(FileNotFoundError):
                    taken += entry.stat(follow_symlinks=False).st_blocks * 512
                if taken > bytes_allowed or files > files_allowed:
                    return True
        return False

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
