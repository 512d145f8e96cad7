"""An image as a model sees it; a large one, or one whose decoder is large, comes from a process in the sandbox.

What that takes of memory ends with it, and so does whatever a broken image does to a decoder.
"""

import json
import subprocess
import sys
import threading

import numpy as np
from numpy.typing import NDArray

from app.child_environment import child_environment
from app.domain.models.preprocessing import Preprocessing
from app.errors import InputFailure, TransientFailure
from app.imaging.decoding import decode_rgb, is_plain
from app.imaging.framing import prepare
from app.settings import Settings

PIXELS_HERE = 4_000_000
"""What takes less time to decode than a process takes to start."""
TIMEOUT_SECONDS = 60.0
REFUSED, UNPROTECTED = 3, 4
"""Exit statuses of a process that says why: of the image, as JSON; or that it has no sandbox, as text."""
_LIMITS = ("max_pixels", "min_side", "max_side")
# A large picture takes hundreds of megabytes while it is decoded: never two at once.
_DECODING = threading.Lock()


def shrink(data: bytes, pixels: int, preprocessing: Preprocessing, limits: Settings) -> NDArray[np.uint8]:
    """The model's input (H, W, 3) of an encoded image of so many pixels. Raises InputFailure, TransientFailure."""
    with _DECODING:
        if pixels <= PIXELS_HERE and is_plain(data):
            return _here(data, preprocessing, limits)
        return _elsewhere(data, preprocessing, limits)


def _here(data: bytes, preprocessing: Preprocessing, limits: Settings) -> NDArray[np.uint8]:
    spec = preprocessing.spec
    shown_at = min(spec.size_before_crop) if spec.antialias else None
    return prepare(decode_rgb(data, limits, reading=spec.reading, shown_at=shown_at), spec)


def _elsewhere(data: bytes, preprocessing: Preprocessing, limits: Settings) -> NDArray[np.uint8]:
    order = {
        "preprocessing": preprocessing.stored(),
        "limits": {name: getattr(limits, name) for name in _LIMITS},
        "allowed": sorted(limits.allow_missing_sandbox_layers),
    }
    done = subprocess.run(
        [sys.executable, "-m", "worker.sandbox.decoding", json.dumps(order)],
        input=data,
        capture_output=True,
        # The sandbox wants one thread, and OpenBLAS starts its own as it is imported.
        env=child_environment() | {"OPENBLAS_NUM_THREADS": "1"},
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode == REFUSED:
        raise InputFailure(**json.loads(done.stdout))
    if done.returncode == UNPROTECTED:
        raise TransientFailure("sandbox-unavailable", done.stdout.decode(errors="replace"))
    if done.returncode < 0:
        raise InputFailure("sample-corrupt", f"The process that decoded it was ended by signal {-done.returncode}.")
    done.check_returncode()
    return np.frombuffer(done.stdout, np.uint8).reshape(*preprocessing.size, 3)


def main(order: str) -> int:
    """What the process does: the image from standard input to standard output. Returns the exit status."""
    given = json.loads(order)
    try:
        pixels = _here(sys.stdin.buffer.read(), Preprocessing.of(given["preprocessing"]), Settings(**given["limits"]))
    except InputFailure as failure:
        json.dump({"code": failure.code, "detail": failure.detail}, sys.stdout)
        return REFUSED
    sys.stdout.buffer.write(pixels.tobytes())
    return 0
