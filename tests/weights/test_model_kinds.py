"""Kinds of files by their first bytes: a good file is never taken for another, a pickle is known by what it does."""

import io
import json
import pickle
import struct
import tracemalloc
from collections import OrderedDict
from typing import Any

import pytest
import torch
from safetensors.torch import save

from tests.corpus.model_files import onnx
from worker.weights.kinds import foreign_kind, is_legacy_torch, is_pickle
from worker.weights.safetensors_file import read_safetensors

VALUES: list[Any] = [
    1, -70_000, 2**40, 1.5, None, True, "text", b"bytes", (), [], {}, set(), [1] * 50, {"a": [1, 2]}, ("x", (1,)),
    OrderedDict(a=1), complex(1, 2), print, list(range(10_000)), ["a" * 5000],
]  # fmt: skip


def padded(length: int) -> bytes:
    """Safetensors whose header has so many bytes."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", length) + header + b" " * (length - len(header)) + struct.pack("<f", 1)


@pytest.mark.parametrize("length", [0x088B1F, 0x1208, 0x42023A, 0x0708, 0x120208, 0x280228, 0x63, 0x1A0A12])
def test_lengths_that_spell_something_else(length: int) -> None:
    """As gzip, ONNX or a pickle begins."""
    file = io.BytesIO(padded(length))
    assert foreign_kind(file) is None
    assert read_safetensors(file)["a"].read().item() == 1


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_every_protocol(protocol: int) -> None:
    for value in VALUES:
        data = pickle.dumps(value, protocol)
        assert is_pickle(io.BytesIO(data)), (value, data[:50])
        assert foreign_kind(io.BytesIO(data)) is None, (value, data[:50])


@pytest.mark.parametrize(
    "data",
    [b"", b".", b"R", b"0.", b"2.", b"I1", b"K", b"t.", b"a.", b"Ix\n.", b"u", b"}s.", b"\0" * 99, b"Text of this.\n",
     b"(c) me", b"GIF89a" + bytes(9), b"\x89PNG\r\n\x1a\n" + bytes(9), b"%PDF-1.7\n", save({"a": torch.ones(3)})],
)  # fmt: skip
def test_what_is_no_pickle(data: bytes) -> None:
    """Nothing on the stack that could be taken, an argument that is none, or no opcode."""
    assert not is_pickle(io.BytesIO(data))


@pytest.mark.parametrize("data", [b"I" + b"1" * 20_000_000, b"T\xff\xff\xff\x7f" + bytes(99), b"(" + b"V" * 20_000_000])
def test_a_look_takes_little(data: bytes) -> None:
    file = io.BytesIO(data)
    tracemalloc.start()
    assert not is_pickle(file)
    assert tracemalloc.get_traced_memory()[1] < 4 * 1024**2
    tracemalloc.stop()


@pytest.mark.parametrize("order", [(0,), (2,), (1, 0), (3, 2), (2, 3), (0, 1, 2, 3), (3, 2, 1, 0)])
def test_onnx_in_any_order(order: tuple[int, ...]) -> None:
    assert foreign_kind(io.BytesIO(onnx(*order))) == "an ONNX file"


@pytest.mark.parametrize(
    "data", [b"", b"\x08", b"\x3a\xff\xff\xff\xff", b"\x0a\x02ab", b"\x08\x07\x0a\x01a", b"\xff" * 40]
)
def test_what_is_no_onnx(data: bytes) -> None:
    assert foreign_kind(io.BytesIO(data)) is None


def test_legacy_files_are_their_own_kind() -> None:
    file = io.BytesIO()
    torch.save({"a": torch.ones(1)}, file, _use_new_zipfile_serialization=False)
    assert is_legacy_torch(file)
    assert not is_legacy_torch(io.BytesIO(pickle.dumps({}, 2)))
