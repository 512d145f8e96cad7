"""A process that decodes pictures for one child: it has a sandbox of its own, and sees nothing but their bytes."""

from collections.abc import Sequence

import numpy as np

from app.domain.models.input_spec import InputSpec
from app.domain.vocabulary import DeviceClass
from app.imaging.decoding import count_pixels
from app.imaging.pictures import decode_here
from app.settings import Settings
from worker.child.failures import failed
from worker.sandbox.layers import LayerMissing, Sandbox
from worker.wire.channel import Channel, ChannelClosed
from worker.wire.pictures import Decode, Picture, Pixels, Sized
from worker.wire.replies import Failed, Ready
from worker.wire.start import Start


def run_decoder(channel: Channel, start: Start, limits: Settings) -> int:
    """Until the child is gone; returns the exit status."""
    sandbox = Sandbox(None, 0, start.memory_bytes, gpu=False, allowed=start.allowed_missing)
    try:
        sandbox.enclose()
        sandbox.seal()
        channel.send(Ready(missing=tuple(sandbox.missing), device_class=DeviceClass.CPU))
        while True:
            _answer(channel, limits)
    except LayerMissing as error:
        channel.send(Failed(failure="sandbox", code="sandbox-unavailable", detail=str(error)[:300]))
        return 1
    except ChannelClosed:
        return 0


def _answer(channel: Channel, limits: Settings) -> None:
    """A picture's size, and its pixels once the child says that there is room for them. Raises ChannelClosed."""
    picture = channel.wait()
    asked = Picture.model_validate_json(picture.body)
    channel.send(Sized(pixels=count_pixels(picture.blob)))
    Decode.model_validate_json(channel.wait().body)
    channel.send(*_decoded(picture.blob, asked.specs, limits))


def _decoded(data: bytes, specs: Sequence[InputSpec], limits: Settings) -> tuple[Pixels | Failed, bytes]:
    try:
        pixels = decode_here(data, specs, limits)
    except Exception as error:  # noqa: BLE001 - whatever it is, the child has to hear of it
        return failed(error), b""
    return Pixels(), b"".join(np.ascontiguousarray(one).tobytes() for one in pixels)
