"""The interpreter of pickles: it takes any stream apart into records, within its limits, and calls nothing."""

import io
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections import Counter, OrderedDict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputFailure
from worker.weights.pickle_reader import read_pickle
from worker.weights.records import Call, Global, Pairs, Persistent, text_items
from worker.weights.walking import Findings, find_tensors


def read(data: bytes) -> object:
    return read_pickle(io.BytesIO(data), max_bytes=len(data))


def look(data: bytes) -> Findings:
    return find_tensors(read(data))


def refusal(data: bytes) -> str | None:
    try:
        look(data)
    except InputFailure as failure:
        return failure.code
    return None


def pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with zipfile.ZipFile(buffer) as file:
        return file.read("archive/data.pkl")


STATE_DICT = pickled(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2)).state_dict())


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_are_as_the_unpickler_has_them(protocol: int) -> None:
    values = [None, True, 7, -(2**70), 0.1, "a\u202e\n", b"\x00\xff", (1, (2, ())), [[], [3]]]
    data = pickle.dumps(values, protocol)
    found = read(data)
    assert isinstance(found, list)
    # Bytes of the old protocols are a call of an encoder.
    assert [item for item in found if not isinstance(item, Call)] == [
        item for item in pickle.loads(data) if protocol > 2 or not isinstance(item, bytes)
    ]


@pytest.mark.parametrize("protocol", range(6))
def test_dicts_of_every_kind(protocol: int) -> None:
    for value in ({"a": 1, "b": 2}, OrderedDict(a=1, b=2), Counter(a=1, b=2)):
        assert text_items(read(pickle.dumps(value, protocol))) == {"a": 1, "b": 2}


def test_what_would_be_called_is_written_down() -> None:
    found = read(b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.")
    assert isinstance(found, Call)
    assert (found.function, found.arguments) == (Global("os", "system"), ("true",))
    made = read(pickle.dumps(Thing(), 2))
    assert isinstance(made, Call)
    assert isinstance(made.state, Pairs)
    assert made.state.items == [("x", 5)]


class Thing:
    def __init__(self) -> None:
        self.x = 5


def test_storages_lie_outside() -> None:
    outside: list[Persistent] = []
    read_pickle(io.BytesIO(STATE_DICT), max_bytes=len(STATE_DICT), outside=outside)
    assert len(outside) == 7
    assert len(look(STATE_DICT).tensors) == 7


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x80\x02\x82\x01.", "model-unsafe"),
        (b"\x80\x02\x83\x01\x00.", "model-unsafe"),
        (b"\x80\x05\x97.", "model-unsafe"),
        (b"\x80\x02cos\nsystem\nN}X\x01\x00\x00\x00aK\x01s\x86b.", "model-unsafe"),
        (b"\x80\x02cos\nsystem\n}b.", "model-unsafe"),
        (b"\x80\x02Nr\xff\xff\xff\x7f.", "model-unsafe"),
        (b"\x80\x02Np99999999\n.", "model-unsafe"),
        (b"\x80\x02X\xff\xff\xff\x7fa.", "model-invalid"),
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.", "model-invalid"),
        (b"\x80\x02\x8b\xff\xff\xff\x7fa.", "model-invalid"),
        (b"\x80\x02}", "model-invalid"),
        (b"", "model-invalid"),
        (b"\x80\x02h\x05.", "model-invalid"),
        (b"\x80\x02\x86.", "model-invalid"),
        (b"\x80\x02t.", "model-invalid"),
        (b"\x80\x02(\x85.", "model-invalid"),
        (b"\x80\x02K\x01K\x02.", "model-invalid"),
        (b"\x80\x02K\x01K\x02R.", "model-invalid"),
        (b"\x80\x02K\x01}b.", "model-unsafe"),
        (b"I" + b"1" * 5000 + b"\n.", "model-invalid"),
        (b"(" * 2000 + b"t" * 2000 + b".", "model-unsafe"),
        (b"\x80\x02(" + b"N" * 2_100_000 + b"t.", "model-unsafe"),
        (b"".join(b"c%d\nx\n0" % number for number in range(6000)) + b"N.", "model-unsafe"),
    ],
)
def test_what_no_file_of_weights_needs(data: bytes, code: str) -> None:
    assert refusal(data) == code


def thrice(levels: int) -> bytes:
    """A tuple of three times the tuple below it: few bytes, 3 ** levels leaves."""
    return b")q\x00" + b"".join(b"h%ch%c\x87q%c" % (n, n, n + 1) for n in range(levels))


def widened(levels: int) -> bytes:
    """The same with lists, each of ten times the one below."""
    steps = b"".join(b"](" + b"h%c" % n * 10 + b"eq%c0" % (n + 1) for n in range(levels))
    return b"]q\x000" + steps + b"h%c" % levels


BOMBS = {
    "a shared tuple as a key": b"}" + thrice(31) + b"Ns.",
    "shared tuples in an ordered dict": b"ccollections\nOrderedDict\n](" + thrice(31) + b"Ne\x85R.",
    "shared lists": widened(30) + b".",
    "a deep key": b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "a deep list": b"]" * 200_000 + b"a" * 199_999 + b".",
    "a list in itself": b"]q\x00" + b"h\x00aq\x00" * 1000 + b".",
    "a dict in itself": b"}q\x00(" + b"".join(b"K%ch\x00" % n for n in range(200)) + b"u.",
    "objects in a ring": b"cm\nA\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb.",
    "a large memo": b"(" + b"".join(b"Nr" + struct.pack("<I", n) for n in range(50_000)) + b"t.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    """Whatever it says of them: within moments."""
    start = time.process_time()
    assert refusal(b"\x80\x02" + BOMBS[name]) in {None, "model-unsafe"}
    assert time.process_time() - start < 5


@pytest.mark.parametrize("name", ["shared lists", "a large memo"])
def test_bombs_need_little_memory(name: str) -> None:
    tracemalloc.start()
    refusal(b"\x80\x02" + BOMBS[name])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 * 1024**2


def test_what_is_shared_has_both_names() -> None:
    tied = torch.ones(2, 2)
    found = look(pickled({f"{number}": {"weights": [tied] * 10, "shape": tied.shape} for number in range(1000)}))
    assert len(found.tensors) == 10_000
    assert ("999", "weights", "9") in found.tensors


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    refusal(data)


@given(st.integers(0, len(STATE_DICT) - 1), st.binary(min_size=1, max_size=8))
def test_no_change_of_a_state_dict_makes_it_fail_otherwise(place: int, patch: bytes) -> None:
    refusal(STATE_DICT[:place] + patch + STATE_DICT[place + len(patch) :])
