"""What parent and child say to each other: exact numbers, bounded frames, nothing taken on trust."""

import dataclasses
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputFailure, TransientFailure
from app.settings import Settings
from worker.child.failures import failed
from worker.supervision.environment import LIBRARY_DEFAULTS, PATIENCE, initial_environment, library_environment
from worker.weights.probe import ModelProbe
from worker.wire.channel import MAX_ANSWER_BODY, MAX_BYTES, Channel, ChannelClosed, Frame
from worker.wire.facts import ModelFacts
from worker.wire.replies import Done, Progress, ScoresRow, read_reply
from worker.wire.start import Start

NUMBERS = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False))


@pytest.fixture
def ends() -> Iterator[tuple[Channel, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield Channel(ours), theirs
    ours.close()
    theirs.close()


@given(scores=NUMBERS, blob=st.binary(max_size=1000))
def test_every_bit_arrives(scores: list[float | None], blob: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sent = ScoresRow(number=3, model_ordinal=-1, scores=scores)
        Channel(ours).send(sent, blob)
        frame = Channel(theirs).receive()
    assert frame is not None
    found = read_reply(frame)
    assert isinstance(found, ScoresRow)
    assert list(map(repr, found.scores)) == list(map(repr, scores))
    assert (found, frame.blob) == (sent, blob)


def test_frames_in_pieces(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    body = Progress(done=7).model_dump_json().encode()
    frame = struct.pack(">II", len(body), 3) + body + b"abc"
    for place in range(len(frame)):
        assert channel.receive(0.001) is None
        other.sendall(frame[place : place + 1])
    assert channel.receive(1) == Frame(body, b"abc")
    other.sendall(frame * 2)
    assert channel.receive(1) == channel.receive(1) == Frame(body, b"abc")


def test_a_long_frame_is_refused_before_it_comes(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    other.sendall(struct.pack(">II", 10, MAX_BYTES))
    with pytest.raises(ChannelClosed, match="a frame of"):
        channel.receive(1)


def test_a_childs_json_may_not_be_as_long_as_its_bytes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        channel = Channel(ours, most_body=MAX_ANSWER_BODY)
        theirs.sendall(struct.pack(">II", MAX_ANSWER_BODY, MAX_ANSWER_BODY + 1))
        assert channel.receive(0.01) is None
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">II", MAX_ANSWER_BODY + 1, 0))
        with pytest.raises(ChannelClosed, match="a frame of"):
            Channel(ours, most_body=MAX_ANSWER_BODY).receive(1)


def test_the_end_and_a_side_that_does_not_read(ends: tuple[Channel, socket.socket]) -> None:
    channel, other = ends
    with pytest.raises(ChannelClosed):
        channel.send(Done(), bytes(10_000_000), timeout=0.1)
    other.close()
    with pytest.raises(ChannelClosed):
        channel.receive(1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"kind": "row"}',
        b'{"kind": "done", "more": 1}',
        b'{"kind": "row", "number": 0, "model_ordinal": 0, "scores": [NaN]}',
    ],
)
def test_what_is_no_reply_is_refused(body: bytes) -> None:
    with pytest.raises(ChannelClosed, match="no reply"):
        read_reply(Frame(body, b""))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (InputFailure("model-invalid", "no"), "input"),
        (TransientFailure("storage-unavailable", "no"), "transient"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."), "gpu-memory"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory."), "gpu-memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "gpu-memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), "gpu-memory"),
        (MemoryError(), "memory"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "device"),
        (RuntimeError("an assertion of the model's own"), "crash"),
        (ValueError("CUDA out of memory"), "crash"),
    ],
)
def test_which_failure_is_which(error: Exception, failure: str) -> None:
    assert failed(error).failure == failure


def test_what_torch_says_without_memory() -> None:
    with pytest.raises(RuntimeError) as shortage:
        torch.empty(2**58, dtype=torch.uint8)
    assert failed(shortage.value).failure == "memory"


def test_no_credentials_leave_the_worker(tmp_path: Path) -> None:
    settings = Settings(database_url="postgresql+psycopg://u:hidden@h/d", broker_url="redis://:hidden@h/0", threads=3)
    start = Start.of(settings, scratch=tmp_path, memory_bytes=5)
    assert "hidden" not in start.model_dump_json()
    assert Start.model_validate_json(start.model_dump_json()).to_settings().threads == 3
    inherited = {"DATABASE_URL": "hidden", "AWS_SECRET_ACCESS_KEY": "hidden", "PATH": "/bin", "OMP_NUM_THREADS": "3"}
    assert initial_environment(inherited) == {}
    assert library_environment(inherited) == {"OMP_NUM_THREADS": "3"} | PATIENCE | LIBRARY_DEFAULTS
    assert library_environment({"GOMP_SPINCOUNT": "7"})["GOMP_SPINCOUNT"] == "7"
    assert "GOMP_SPINCOUNT" not in library_environment({"OMP_WAIT_POLICY": "PASSIVE"})


def test_every_fact_of_the_probe_has_its_place() -> None:
    probed = {field.name for field in dataclasses.fields(ModelProbe)}
    assert probed == set(ModelFacts.model_fields) - {"kind", "speed", "description", "architecture_options", "head"}
