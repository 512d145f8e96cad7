"""`python -m benchmarks.decoding`: pictures a second from an archive to the batches that models see.

JPEGs of two and of twelve million pixels, resized to 224; by the thread of a child, by one process, and by as many as
the cores ask for beside a GPU (``--decoders`` takes others).
"""

import argparse
import io
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from app.domain.models.input_size import Size
from app.domain.models.input_spec import InputSpec
from app.domain.vocabulary import DeviceClass
from app.settings import GIBIBYTE, Settings
from benchmarks.subjects import SIZE, photographs
from benchmarks.table import Row, Section
from worker.child.decoders import RemoteDecoder, fork_decoders
from worker.engine.sample_reader import ArchiveLocation, DecodedBatch, SampleReader
from worker.machine.cores import core_count, decoder_count
from worker.wire.job_parts import JobSample
from worker.wire.start import Start

MEGAPIXELS = {2: (1632, 1224), 12: (4000, 3000)}
SPECS = (InputSpec(Size(SIZE, SIZE)),)
BATCH, GRAIN = 16, 8
SECONDS = 4.0
"""Of a measurement, at least, after the first batch."""
MEMORY = 4 * GIBIBYTE


class _Repeated:
    """An archive without end, of the same few photographs."""

    def __init__(self, files: Sequence[bytes]) -> None:
        self._all = b"".join(files)

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        del digest
        return self._all[offset : offset + length]


@lru_cache(maxsize=2)
def jpegs(megapixels: int, count: int = 4) -> tuple[bytes, ...]:
    """Photographs enlarged to that, with the grain of a sensor: else they would be half as long as a camera's."""
    random, found = np.random.default_rng(1), []
    for pixels in photographs(count, 512):
        large = np.asarray(Image.fromarray(pixels).resize(MEGAPIXELS[megapixels], Image.Resampling.BICUBIC))
        grain = random.integers(-GRAIN, GRAIN + 1, large.shape, np.int16)
        content = io.BytesIO()
        Image.fromarray((large + grain).clip(0, 255).astype(np.uint8)).save(content, "JPEG", quality=90)
        found.append(content.getvalue())
    return tuple(found)


@contextmanager
def decoders(count: int) -> Iterator[tuple[RemoteDecoder, ...]]:
    """In their sandbox, as a child forks them."""
    settings = Settings(device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        start = Start.of(settings, scratch=Path(folder), memory_bytes=MEMORY, decoders=count)
        made = fork_decoders(start, settings, [])
        try:
            for one in made:
                one.wait()
            yield made
        finally:
            for one in made:
                one.channel.close()
                os.waitpid(one.pid, 0)


def rate(files: Sequence[bytes], remote: Sequence[RemoteDecoder], seconds: float = SECONDS) -> float:
    """Pictures a second, once all decoders are at work."""
    where = ArchiveLocation(_Repeated(files), "", Settings(device="cpu"))  # type: ignore[arg-type]
    samples = _samples(files, 1_000_000 // BATCH)
    with SampleReader(where, SPECS, lambda _: None, remote) as reader:
        batches: Iterator[DecodedBatch] = reader.batches(samples, BATCH)
        next(batches)
        begun, done = time.perf_counter(), 0
        while time.perf_counter() - begun < seconds:
            done += len(next(batches).samples)
        return done / (time.perf_counter() - begun)


def _samples(files: Sequence[bytes], times: int) -> list[JobSample]:
    ends = [sum(map(len, files[: number + 1])) for number in range(len(files))]
    places = [
        {"offset": end - len(data), "stored_size": len(data), "size": len(data)}
        for data, end in zip(files, ends, strict=True)
    ]
    one = {"name": "photograph", "label": None, "compression": 0, "crc32": None}
    return [JobSample.model_validate(one | place) for place in places] * (times // len(files))


def counts() -> list[int]:
    """Of decoders: one, and as many as these cores ask for beside a GPU, or two."""
    return [1, max(2, decoder_count(None, core_count(0), DeviceClass.GPU))]


def decoding(wanted: Sequence[int]) -> Section:
    """By a thread, and by each number of processes."""
    rows = []
    for megapixels in MEGAPIXELS:
        files = jpegs(megapixels)
        size = f"{megapixels} megapixels, {sum(map(len, files)) / len(files) / 1e6:.1f} MB each"
        rows.append(Row(f"{size}: the child's thread", f"{rate(files, ()):.0f} a second"))
        for count in wanted:
            with decoders(count) as remote:
                rows.append(Row(f"{size}: {count} decoders", f"{rate(files, remote):.0f} a second"))
    return Section(
        "Decoding photographs",
        f"JPEGs from an archive to batches of {BATCH} at {SIZE} pixels, nothing else at work, {os.cpu_count()} cores.",
        rows,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decoders", type=int, nargs="*", default=counts())
    print(decoding(parser.parse_args().decoders).to_markdown())


if __name__ == "__main__":
    main()
