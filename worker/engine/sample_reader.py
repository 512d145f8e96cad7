"""Decoded batches of a data set, read ahead while the device computes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from math import ceil
from queue import SimpleQueue
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
import torch

from app.domain.models.input_spec import InputSpec
from app.errors import InputFailure
from app.imaging.entries import entry_of, read_entry
from app.imaging.pictures import Decoder, Framed, decode_here
from app.settings import MEBIBYTE, Settings
from worker.engine.ahead import one_ahead, taken_early
from worker.engine.first_look import FirstLooks, black
from worker.engine.room import Room
from worker.views.base import ImageBatch
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobSample

ENCODED_BYTES = 64 * MEBIBYTE
"""Of encoded pictures that are with decoders at once; of one that is longer, alone."""
_PICTURES_AHEAD = 2
"""A decoder: one in its hands, one that comes next."""


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
    first_looks: FirstLooks | None = None
    """At samples that nobody has looked at; None: there are none."""


class SampleReader:
    """Reads from the archive blob; one batch ahead of the caller, in a thread, which does ``more`` with it as well.

    That thread decodes the pictures, or ``decoders`` do, in other processes, each asked by a thread of its own. They
    are given pictures of so many batches ahead that none of them waits for a batch to be handed on.
    """

    def __init__(
        self,
        archive: ArchiveLocation,
        specs: tuple[InputSpec, ...],
        more: Callable[[DecodedBatch], None],
        decoders: Sequence[Decoder] = (),
    ) -> None:
        self._archive = archive
        self._specs = specs
        self._more = more
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._asking = ThreadPoolExecutor(len(decoders), thread_name_prefix="picture") if decoders else None
        self._idle: SimpleQueue[Decoder] = SimpleQueue()
        for decoder in decoders or (partial(decode_here, limits=archive.settings),):
            self._idle.put(decoder)
        self._pictures_ahead = _PICTURES_AHEAD * len(decoders)
        self._encoded = Room(ENCODED_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for pictures that are being decoded: their decoders must have nothing left to say."""
        if self._asking is not None:
            self._asking.shutdown(cancel_futures=True)
        self._ahead.shutdown(cancel_futures=True)

    def batches(self, samples: Sequence[JobSample], size: int) -> Iterator[DecodedBatch]:
        """Batches of ``size`` samples in order, the last one shorter."""
        parts = (samples[start : start + size] for start in range(0, len(samples), size))
        begun = ((part, [self._begun(sample) for sample in part]) for part in parts)
        return one_ahead(self._ahead, self._joined, taken_early(begun, ceil(self._pictures_ahead / size)))

    def _begun(self, sample: JobSample) -> Callable[[], Framed]:
        """A function that gives its pixels, once for each spec: makes them, or waits for a decoder."""
        if self._asking is None:
            return partial(self._pixels, sample)
        return self._asking.submit(copy_context().run, self._pixels, sample).result

    def _joined(self, begun: tuple[Sequence[JobSample], list[Callable[[], Framed]]]) -> DecodedBatch:
        """Without a loop of torch's: OpenMP would give this thread workers of its own, and from then on let the cores
        sleep between any two loops, since there are more threads than cores (half again as slow for a small network).
        """
        samples, waits = begun
        pixels = zip(*(wait() for wait in waits), strict=True)
        names = tuple(sample.name for sample in samples)
        images = {
            spec: ImageBatch(torch.from_numpy(np.ascontiguousarray(np.stack(column).transpose(0, 3, 1, 2))), names)
            for spec, column in zip(self._specs, pixels, strict=True)
        }
        batch = DecodedBatch(samples, images)
        self._more(batch)
        return batch

    def _pixels(self, sample: JobSample) -> Framed:
        """Once for each spec. What was readable when it was looked at and is not now was changed on disk."""
        inputs, digest, settings, first_looks = self._archive
        if first_looks is not None and first_looks.is_needless(sample):
            return black(self._specs)
        decoder = self._idle.get()
        try:
            with self._encoded.held(sample.stored_size + sample.size):
                data = read_entry(inputs, digest, entry_of(sample), settings.max_entry_bytes)
                seen = None if first_looks is None else first_looks.framed(sample, data, self._specs)
                return decoder(data, self._specs) if seen is None else seen
        except (InputFailure, FileNotFoundError) as error:
            detail = f"The sample {sample.name!a} can no longer be read from the archive {digest}."
            raise InputFailure("artifact-corrupted", detail) from error
        finally:
            self._idle.put(decoder)
