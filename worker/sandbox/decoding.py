"""Decodes one image for the API, in a process of its own, within the sandbox.

    python -m worker.sandbox.decoding '{"size": 224, "resize": "stretch", ...}'

reads the encoded image from standard input and writes (height, width, 3) bytes, as `app.imaging.shrinking` asks it to.
"""

import json
import sys

from app.domain.vocabulary import SandboxLayer
from app.imaging.shrinking import UNPROTECTED, main
from worker.sandbox.layers import LayerMissing, Sandbox

MEMORY_BYTES = 2 * 1024**3
"""An image of 50 million pixels with alpha takes 0.8 GB while it is decoded."""


def enclosed_main(order: str) -> int:
    """Exit status."""
    allowed = frozenset(map(SandboxLayer, json.loads(order)["allowed"]))
    sandbox = Sandbox(None, 0, MEMORY_BYTES, gpu=False, allowed=allowed)
    try:
        sandbox.enclose()
        sandbox.seal()
    except LayerMissing as missing:
        sys.stdout.write(str(missing))
        return UNPROTECTED
    return main(order)


if __name__ == "__main__":
    sys.exit(enclosed_main(sys.argv[1]))
