"""Pictures are decoded beside a child by processes of their own: the same pixels, the same refusals, the same walls."""

import io
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from app.domain.models.input_size import Size
from app.domain.models.input_spec import (
    Alpha,
    InputSpec,
    Interpolation,
    PadResizing,
    PixelReading,
    ShorterSideResizing,
    StretchResizing,
)
from app.errors import InputFailure
from app.imaging.pictures import Framed, decode_here
from app.settings import Settings
from tests.waiting import PATIENCE_SECONDS
from worker.child import decoder as decoder_module
from worker.child.decoders import DecoderDied, RemoteDecoder, fork_decoders
from worker.engine.room import Room
from worker.engine.sample_reader import ArchiveLocation, DecodedBatch, SampleReader
from worker.wire.job_parts import JobSample
from worker.wire.start import Start

SETTINGS = Settings(device="cpu", max_pixels=90_000)
SPECS = (
    InputSpec(Size(32, 32)),
    InputSpec(Size(24, 48), ShorterSideResizing(shorter_side=64), Interpolation.BICUBIC, antialias=False),
    InputSpec(Size(16, 16), StretchResizing(stretch=20), reading=PixelReading(Alpha.WHITE)),
    InputSpec(Size(32, 16), PadResizing(pad="mean"), padding=(1, 2, 3)),
)


@contextmanager
def decoders(count: int, scratch: Path) -> Iterator[tuple[RemoteDecoder, ...]]:
    """As a child has them, forked from this process."""
    start = Start.of(SETTINGS, scratch=scratch, memory_bytes=2**30, decoders=count)
    made = fork_decoders(start, SETTINGS, [])
    try:
        for one in made:
            one.wait()
        yield made
    finally:
        for one in made:
            one.channel.close()
            os.waitpid(one.pid, 0)


def pictures() -> list[bytes]:
    """Of several kinds, sizes and ways up, and four that are none."""
    random = np.random.default_rng(7)
    found = []
    for number, (kind, mode) in enumerate(
        [
            ("JPEG", "RGB"),
            ("PNG", "RGBA"),
            ("WEBP", "RGB"),
            ("BMP", "L"),
            ("TIFF", "RGB"),
            ("GIF", "P"),
            ("PNG", "I;16"),
        ]
    ):
        shape = (90 + 7 * number, 200 - 11 * number)
        grey = random.integers(0, 256, shape, dtype=np.uint8)
        image = Image.fromarray(grey.astype(np.uint16) * 200) if mode == "I;16" else Image.fromarray(grey).convert(mode)
        content, exif = io.BytesIO(), Image.Exif()
        exif[0x0112] = 6
        image.save(content, kind, **({"exif": exif} if kind == "JPEG" else {}))
        found.append(content.getvalue())
    large = io.BytesIO()
    Image.new("RGB", (400, 300)).save(large, "PNG")
    return [*found, b"", b"no picture", found[0][:300], large.getvalue()]


def outcome(decode: Callable[[], Framed]) -> object:
    try:
        return [part.tolist() for part in decode()]
    except InputFailure as failure:
        return failure.code, failure.detail


def test_the_same_pixels_and_the_same_refusals(tmp_path: Path) -> None:
    with decoders(1, tmp_path) as (remote,):
        for data in pictures():
            expected = outcome(partial(decode_here, data, SPECS, SETTINGS))
            assert outcome(partial(remote, data, SPECS)) == expected
    assert outcome(lambda: decode_here(pictures()[-1], SPECS, SETTINGS))[0] == "sample-too-many-pixels"  # type: ignore[index]


class Held:
    """An archive of files without packing, in memory."""

    def __init__(self, files: Sequence[bytes]) -> None:
        self._all = b"".join(files)

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        del digest
        return self._all[offset : offset + length]


def samples_of(files: Sequence[bytes]) -> list[JobSample]:
    ends = np.cumsum([len(data) for data in files]).tolist()
    return [
        JobSample(
            name=str(number), label=None, offset=end - len(data), stored_size=len(data), size=len(data), compression=0,
            crc32=None,
        )
        for number, (data, end) in enumerate(zip(files, ends, strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize("count", [1, 3])
def test_batches_keep_their_order(tmp_path: Path, count: int) -> None:
    files = pictures()[:7] * 3
    where = ArchiveLocation(Held(files), "sha256:x", SETTINGS)  # type: ignore[arg-type]
    more: list[DecodedBatch] = []
    with decoders(count, tmp_path) as remote, SampleReader(where, SPECS, more.append, remote) as reader:
        found = list(reader.batches(samples_of(files), 4))
    with SampleReader(where, SPECS, lambda _: None) as reader:
        expected = list(reader.batches(samples_of(files), 4))
    assert [batch.samples for batch in found] == [batch.samples for batch in expected]
    assert [len(batch.samples) for batch in found] == [4, 4, 4, 4, 4, 1]
    assert [id(batch) for batch in more] == [id(batch) for batch in found]
    for one, other in zip(found, expected, strict=True):
        assert one.images.keys() == other.images.keys() == set(SPECS)
        assert all(one.images[spec].images.equal(other.images[spec].images) for spec in SPECS)


def test_a_reader_that_is_left_early_leaves_its_decoders_well(tmp_path: Path) -> None:
    """After a broken picture too, which is told as before."""
    files = [*pictures()[:3], b"broken", *pictures()[:7]]
    where = ArchiveLocation(Held(files), "sha256:x", SETTINGS)  # type: ignore[arg-type]
    with decoders(2, tmp_path) as remote:
        with SampleReader(where, SPECS, lambda _: None, remote) as reader:
            next(reader.batches(samples_of(files), 1))
        with (
            pytest.raises(InputFailure, match=r"The sample '3' can no longer be read") as failure,
            SampleReader(where, SPECS, lambda _: None, remote) as reader,
        ):
            list(reader.batches(samples_of(files), 2))
        assert failure.value.code == "artifact-corrupted"
        assert outcome(lambda: remote[0](files[1], SPECS)) == outcome(lambda: decode_here(files[1], SPECS, SETTINGS))


def test_one_that_is_gone_is_told(tmp_path: Path) -> None:
    with decoders(2, tmp_path) as (first, second):
        os.kill(first.pid, 9)
        with pytest.raises(DecoderDied):
            first(pictures()[0], SPECS)
        assert second(pictures()[0], SPECS)


ATTACKS: dict[str, Callable[[], object]] = {
    "read": lambda: Path("/etc/passwd").read_text(),
    "read its parent": lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes(),
    "write": lambda: Path("/tmp/canary").write_text("x"),
    "socket": socket.socket,
    "fork": lambda: os.fork() or os._exit(0),
    "program": lambda: subprocess.run(["/bin/true"], check=True),
    "signal": lambda: os.kill(os.getppid(), 0),
    "memory": lambda: bytearray(2**33),
}


def test_its_walls_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hole in a decoder, put to use: nothing but its conversation is open to it."""

    def attacked(*_: object, **__: object) -> Framed:
        broken = []
        for name, attack in ATTACKS.items():
            try:
                attack()
                broken.append(name)
            except (OSError, MemoryError, subprocess.SubprocessError):
                pass
        raise InputFailure("sample-corrupt", ", ".join(broken) or "nothing")

    monkeypatch.setattr(decoder_module, "decode_here", attacked)
    with decoders(2, tmp_path) as (first, second):
        status = Path(f"/proc/{second.pid}/status").read_text()
        with pytest.raises(InputFailure) as found:
            second(pictures()[0], SPECS)
        lines = {Path(f"/proc/self/fd/{one.channel._socket.fileno()}").readlink() for one in (first, second)}
        assert not lines & {link.readlink() for link in Path(f"/proc/{second.pid}/fd").iterdir()}
    assert found.value.detail == "nothing"
    for line in ("Seccomp:\t2", "NoNewPrivs:\t1", "CapEff:\t0000000000000000", "Threads:\t1"):
        assert line in status


def test_room_is_for_so_much_or_for_one() -> None:
    room, inside, seen = Room(10), threading.Semaphore(0), SimpleNamespace(now=0, most=0)
    lock = threading.Lock()

    def hold(amount: int) -> None:
        with room.held(amount):
            with lock:
                seen.now += amount
                seen.most = max(seen.most, seen.now)
            inside.release()
            with lock:
                seen.now -= amount

    threads = [threading.Thread(target=hold, args=(amount,)) for amount in (6, 6, 25, 4, 10, 3, 3) * 20]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert seen.most == 25
    assert all(inside.acquire(blocking=False) for _ in threads)
