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
from app.domain.vocabulary import Resize
from app.errors import InputFailure, TransientFailure
from app.imaging.decoding import decode_rgb, is_plain, prepare
from app.settings import Settings

PIXELS_HERE = 4_000_000
"""What takes less time to decode than a process takes to start."""
TIMEOUT_SECONDS = 60.0
REFUSED, UNPROTECTED = 3, 4
"""Exit statuses of a process that says why: of the image, as JSON; or that it has no sandbox, as text."""
_LIMITS = ("max_pixels", "min_side", "max_side")
# A large picture takes hundreds of megabytes while it is decoded: never two at once.
_DECODING = threading.Lock()


def shrink(data: bytes, pixels: int, size: int, resize: Resize, limits: Settings) -> NDArray[np.uint8]:
    """(size, size, 3) of an encoded image of so many pixels. Raises InputFailure, TransientFailure."""
    with _DECODING:
        if pixels <= PIXELS_HERE and is_plain(data):
            return prepare(decode_rgb(data, limits, shown_at=size), size, resize)
        return _elsewhere(data, size, resize, limits)


def _elsewhere(data: bytes, size: int, resize: Resize, limits: Settings) -> NDArray[np.uint8]:
    order = {
        "size": size,
        "resize": resize,
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
    return np.frombuffer(done.stdout, np.uint8).reshape(size, size, 3)


def main(order: str) -> int:
    """What the process does: the image from standard input to standard output. Returns the exit status."""
    given = json.loads(order)
    limits, size = Settings(**given["limits"]), given["size"]
    try:
        image = decode_rgb(sys.stdin.buffer.read(), limits, shown_at=size)
    except InputFailure as failure:
        json.dump({"code": failure.code, "detail": failure.detail}, sys.stdout)
        return REFUSED
    sys.stdout.buffer.write(prepare(image, size, Resize(given["resize"])).tobytes())
    return 0
