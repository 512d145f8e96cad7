"""Large images come from another process: the same pixels, and none of the memory."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.domain.models.input_spec import Resizing, ShorterSideResizing
from app.domain.models.preprocessing import Preprocessing
from app.domain.vocabulary import Resize
from app.errors import InputFailure
from app.imaging.decoding import decode_rgb
from app.imaging.framing import prepare
from app.imaging.shrinking import PIXELS_HERE, shrink
from app.settings import Settings

LIMITS = Settings()
MEMORY = """
import resource, sys
from app.domain.models.preprocessing import Preprocessing
from app.imaging.shrinking import shrink
from app.settings import Settings
data = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
shrink(data, 7000 * 7000, Preprocessing(input_size=224, mean=(0,), std=(1,)), Settings())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def large(mode: str, width: int = 2300, height: int = 1800) -> Image.Image:
    """Smooth, and another number everywhere; alpha where the mode has it."""
    rows, columns = np.mgrid[:height, :width]
    bands = [(rows * scale + columns) // 16 % 256 for scale in range(1, len(mode) + 1)]
    return Image.fromarray(np.stack(bands, -1).astype(np.uint8), mode)


def described(size: int, resize: Resizing = Resize.STRETCH) -> Preprocessing:
    return Preprocessing(input_size=size, resize=resize, mean=(0.0,), std=(1.0,))


def saved(image: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


FILES = (("RGB", "PNG"), ("RGBA", "PNG"), ("RGB", "JPEG"), ("RGB", "BMP"))
FRAMED = (*Resize, ShorterSideResizing(shorter_side=110))


@pytest.mark.parametrize(
    ("mode", "kind", "resize"),
    [*((*file, FRAMED[0]) for file in FILES), *((*FILES[0], resize) for resize in FRAMED[1:])],
)
def test_the_pixels_are_those_that_are_made_here(mode: str, kind: str, resize: Resizing) -> None:
    image = large(mode)
    assert image.width * image.height > PIXELS_HERE
    data = saved(image, kind)
    wanted = described(96, resize)
    expected = prepare(decode_rgb(data, LIMITS, shown_at=min(wanted.spec.size_before_crop)), wanted.spec)
    for pixels in (image.width * image.height, 0):
        assert np.array_equal(shrink(data, pixels, wanted, LIMITS), expected)


def test_what_is_refused_here_is_refused_there() -> None:
    data = saved(large("RGB"), "PNG")
    for pixels in (0, PIXELS_HERE + 1):
        with pytest.raises(InputFailure, match="the limit is 1000") as caught:
            shrink(data, pixels, described(96), Settings(max_pixels=1000))
        assert caught.value.code == "sample-too-many-pixels"
        with pytest.raises(InputFailure) as caught:
            shrink(data[:-100_000], pixels, described(96), LIMITS)
        assert caught.value.code == "sample-corrupt"


def test_its_memory_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGBA", (7000, 7000), (10, 20, 30, 40)).save(path)
    done = subprocess.run([sys.executable, "-c", MEMORY, path], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 20 * 1024


def test_decoders_that_are_large_run_in_the_sandbox() -> None:
    """HEIC of a phone, and AVIF: the same pixels as here."""
    for data in ((Path(__file__).parent / "photograph.heic").read_bytes(), saved(large("RGB", 60, 40), "AVIF")):
        expected = prepare(decode_rgb(data, LIMITS, shown_at=32), described(32).spec)
        assert np.array_equal(shrink(data, 60 * 40, described(32), LIMITS), expected)


def test_what_runs_there_reaches_no_file_and_no_network() -> None:
    """The same process, with an attack in the place of its decoder."""
    attack = (
        "import socket, sys; import worker.sandbox.decoding as process\n"
        "def attacked(order):\n"
        "    for act in (lambda: open('/etc/passwd'), lambda: open('/tmp/x', 'w'), socket.socket):\n"
        "        try: act(); print('done')\n"
        "        except OSError: print('refused')\n"
        "    return 0\n"
        "process.main = attacked\n"
        "sys.exit(process.enclosed_main('{\"allowed\": []}'))"
    )
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", attack]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.stdout.split() == ["refused"] * 3, done.stderr
