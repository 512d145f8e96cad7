"""Decoded batches of a data set, read ahead while the device computes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from app.domain.preprocessing import InputSpec
from app.errors import InputFailure
from app.imaging.decoding import decode_rgb
from app.imaging.entries import entry_of, read_entry
from app.imaging.framing import prepare
from app.settings import Settings
from worker.engine.ahead import one_ahead
from worker.views.base import ImageBatch
from worker.wire.contents import Inputs
from worker.wire.jobs import JobSample


@dataclass(frozen=True)
class DecodedBatch:
    """Samples and, for every spec, their pixels (N, 3, H, W) uint8 RGB."""

    samples: Sequence[JobSample]
    images: dict[InputSpec, ImageBatch]


class ArchiveLocation(NamedTuple):
    """Where samples are read from, and under which limits."""

    inputs: Inputs
    digest: str
    settings: Settings


class SampleReader:
    """Reads from the archive blob; one batch ahead of the caller, in a thread, which does ``more`` with it as well."""

    def __init__(
        self, archive: ArchiveLocation, specs: tuple[InputSpec, ...], more: Callable[[DecodedBatch], None]
    ) -> None:
        self._archive = archive
        self._specs = specs
        self._more = more
        self._readings = {spec.reading for spec in specs}
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="decode")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ahead.shutdown(cancel_futures=True)

    def batches(self, samples: Sequence[JobSample], size: int) -> Iterator[DecodedBatch]:
        """Batches of ``size`` samples in order, the last one shorter."""
        parts = (samples[start : start + size] for start in range(0, len(samples), size))
        return one_ahead(self._ahead, self._decode, parts)

    def _decode(self, samples: Sequence[JobSample]) -> DecodedBatch:
        """Without a loop of torch's: OpenMP would give this thread workers of its own, and from then on let the cores
        sleep between any two loops, since there are more threads than cores (half again as slow for a small network).
        """
        pixels = zip(*(self._pixels(sample) for sample in samples), strict=True)
        names = tuple(sample.name for sample in samples)
        images = {
            spec: ImageBatch(torch.from_numpy(np.ascontiguousarray(np.stack(column).transpose(0, 3, 1, 2))), names)
            for spec, column in zip(self._specs, pixels, strict=True)
        }
        batch = DecodedBatch(samples, images)
        self._more(batch)
        return batch

    def _pixels(self, sample: JobSample) -> list[NDArray[np.uint8]]:
        """Once for each spec. What was readable when it was indexed and is not now was changed on disk."""
        inputs, digest, settings = self._archive
        try:
            data = read_entry(inputs, digest, entry_of(sample), settings.max_entry_bytes)
            images = {reading: decode_rgb(data, settings, reading=reading) for reading in self._readings}
        except (InputFailure, FileNotFoundError) as error:
            detail = f"The sample {sample.name!a} can no longer be read from the archive {digest}."
            raise InputFailure("artifact-corrupted", detail) from error
        return [prepare(images[spec.reading], spec) for spec in self._specs]
