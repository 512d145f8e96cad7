"""An image as a model sees it; a large one comes from a process of its own, and the memory it takes ends with that.

    python -m app.imaging.shrinking '{"size": 224, "resize": "stretch", ...}'

reads the encoded image from standard input and writes (size, size, 3) bytes.
"""

import json
import subprocess
import sys
import threading

import numpy as np
from numpy.typing import NDArray

from app.child_environment import child_environment
from app.domain.vocabulary import Resize
from app.errors import InputFailure
from app.imaging.decoding import decode_rgb, is_plain, prepare
from app.settings import Settings

PIXELS_HERE = 4_000_000
"""What takes less time to decode than a process takes to start."""
TIMEOUT_SECONDS = 60.0
_REFUSED = 3
_LIMITS = ("max_pixels", "min_side", "max_side")
# A large picture takes hundreds of megabytes while it is decoded: never two at once.
_DECODING = threading.Lock()


def shrink(data: bytes, pixels: int, size: int, resize: Resize, limits: Settings) -> NDArray[np.uint8]:
    """(size, size, 3) of an encoded image of so many pixels. Raises InputFailure."""
    with _DECODING:
        if pixels <= PIXELS_HERE and is_plain(data):
            return prepare(decode_rgb(data, limits, shown_at=size), size, resize)
        return _elsewhere(data, size, resize, limits)


def _elsewhere(data: bytes, size: int, resize: Resize, limits: Settings) -> NDArray[np.uint8]:
    order = {"size": size, "resize": resize, "limits": {name: getattr(limits, name) for name in _LIMITS}}
    done = subprocess.run(
        [sys.executable, "-m", "app.imaging.shrinking", json.dumps(order)],
        input=data,
        capture_output=True,
        env=child_environment(),
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode == _REFUSED:
        raise InputFailure(**json.loads(done.stdout))
    done.check_returncode()
    return np.frombuffer(done.stdout, np.uint8).reshape(size, size, 3)


def main(order: str) -> int:
    """Exit status."""
    given = json.loads(order)
    limits, size = Settings(**given["limits"]), given["size"]
    try:
        image = decode_rgb(sys.stdin.buffer.read(), limits, shown_at=size)
    except InputFailure as failure:
        json.dump({"code": failure.code, "detail": failure.detail}, sys.stdout)
        return _REFUSED
    sys.stdout.buffer.write(prepare(image, size, Resize(given["resize"])).tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
