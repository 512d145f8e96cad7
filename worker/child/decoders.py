"""The processes that decode pictures for a child: forked before it has seen anything, asked one picture at a time."""

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from app.domain.models.input_spec import InputSpec
from app.errors import InputFailure
from app.imaging.pictures import Framed
from app.settings import Settings
from worker.child.decoder import run_decoder
from worker.child.forks import fork
from worker.child.parent_death import die_with
from worker.engine.room import Room
from worker.sandbox.layers import LayerMissing
from worker.wire.channel import MAX_ANSWER_BODY, Channel, ChannelClosed
from worker.wire.pictures import Decode, Picture, Pixels, Sized, read_answer
from worker.wire.replies import Failed, Ready
from worker.wire.start import Start

_SHARE_OF_MEMORY = 8
"""Of a child's, for the pictures that its decoders hold while they decode them."""
_BYTES_OF_A_PIXEL = 16
"""While it is decoded: what a picture with alpha takes."""


class DecoderDied(Exception):
    """A process that decodes pictures is gone, or says what it should not."""


@dataclass(frozen=True)
class RemoteDecoder:
    """One of them, as an `app.imaging.pictures.Decoder`: for one thread at a time."""

    pid: int
    channel: Channel
    room: Room
    most_pixels: int

    def __call__(self, data: bytes, specs: Sequence[InputSpec]) -> Framed:
        """Waits until the picture has room beside the others'. Raises InputFailure, MemoryError, DecoderDied."""
        sized, _ = self._ask(Picture(specs=tuple(specs)), data)
        if not isinstance(sized, Sized):
            raise DecoderDied("another answer than a size")
        pixels = self.most_pixels if sized.pixels is None else sized.pixels
        with self.room.held(min(pixels, self.most_pixels)):
            answer, blob = self._ask(Decode())
        if isinstance(answer, Failed):
            raise _failure(answer)
        sizes = [prod((*spec.size, 3)) for spec in specs]
        if not isinstance(answer, Pixels) or len(blob) != sum(sizes):
            raise DecoderDied("another answer than these pixels")
        parts = np.split(np.frombuffer(blob, np.uint8), np.cumsum(sizes)[:-1])
        return [part.reshape(*spec.size, 3) for part, spec in zip(parts, specs, strict=True)]

    def wait(self) -> None:
        """Until its sandbox is closed. Raises LayerMissing, DecoderDied."""
        answer, _ = self._answer()
        if isinstance(answer, Failed):
            raise LayerMissing(answer.detail)
        if not isinstance(answer, Ready):
            raise DecoderDied("another answer than that it is ready")

    def _ask(self, message: Picture | Decode, data: bytes = b"") -> tuple[object, bytes]:
        try:
            self.channel.send(message, data)
        except ChannelClosed as error:
            raise DecoderDied(str(error)) from error
        return self._answer()

    def _answer(self) -> tuple[object, bytes]:
        try:
            frame = self.channel.wait()
            return read_answer(frame), frame.blob
        except ChannelClosed as error:
            raise DecoderDied(str(error)) from error


def fork_decoders(start: Start, limits: Settings, keep_out: Sequence[Channel]) -> tuple[RemoteDecoder, ...]:
    """As many as the start says, each with one line to this process; ``keep_out`` are lines that are not for them."""
    most_pixels = limits.max_pixels
    room = Room(max(most_pixels, start.memory_bytes // _SHARE_OF_MEMORY // _BYTES_OF_A_PIXEL))
    decoders: list[RemoteDecoder] = []
    for _ in range(start.decoders):
        ours, theirs = socket.socketpair()
        line = Channel(ours, most_body=MAX_ANSWER_BODY)
        closed = (line, *keep_out, *(one.channel for one in decoders))
        with theirs:
            pid = fork(partial(_run, os.getpid(), closed, partial(run_decoder, Channel(theirs), start, limits)))
        decoders.append(RemoteDecoder(pid, line, room, most_pixels))
    return tuple(decoders)


def _run(child: int, closed: Sequence[Channel], decode: Callable[[], int]) -> int:
    die_with(child)
    for channel in closed:
        channel.close()
    return decode()


def _failure(answer: Failed) -> Exception:
    if answer.failure == "input":
        return InputFailure(answer.code, answer.detail, **answer.facts)
    return MemoryError(answer.detail) if answer.failure == "memory" else DecoderDied(answer.detail)
