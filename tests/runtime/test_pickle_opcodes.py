"""The judge of pickles: it lets real state_dicts pass and nothing else, and never fails in another way."""

import io
import pickle
import zipfile
from collections import OrderedDict
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InputFailure
from worker.weights.opcodes import ALLOWED_GLOBALS, judge_pickle


def pickled(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    with zipfile.ZipFile(buffer) as file:
        return file.read("archive/data.pkl")


STATE_DICT = pickled(torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2)).state_dict())


def is_refused(data: bytes) -> bool:
    try:
        judge_pickle(data)
    except InputFailure as failure:
        return failure.code == "model-unsafe"
    return False


def test_state_dicts_pass() -> None:
    judge_pickle(STATE_DICT)
    many = OrderedDict((f"layer{n}.weight", torch.ones(2, 2)) for n in range(2000))
    judge_pickle(pickled({"state_dict": many, "epoch": 9, "lr": 0.1, "names": ["a"], "shape": torch.Size([1, 2])}))


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02ctorch._utils\n_rebuild_meta_tensor_no_storage\n.",
        b"\x80\x02ctorch _utils\n_rebuild_tensor_v2\n.",
        b"\x80\x02ccollections\nOrderedDict \n.",
        b"(ios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"\x80\x02}.}.",
        b"\x80\x02}",
        b"",
        b"\x80\x02h\x05.",
        b"\x80\x02\x86.",
        b"\x80\x02t.",
        b"\x80\x02(\x85.",
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    assert is_refused(data)


@pytest.mark.parametrize("nested", [b")" + b"\x85" * 100, b"]" * 100 + b"a" * 99, b"(" * 100 + b"t" * 100])
def test_deep_nesting(nested: bytes) -> None:
    assert is_refused(b"\x80\x02" + nested + b".")


def test_deep_nesting_through_the_memo() -> None:
    steps = b"".join(b"h" + bytes([n]) + b"\x85q" + bytes([n + 1]) for n in range(100))
    assert is_refused(b"\x80\x02)q\x00" + steps + b".")


def thrice(levels: int) -> bytes:
    """A tuple of three times the tuple below it: few bytes, 3 ** levels leaves."""
    return b")q\x00" + b"".join(b"h%ch%c\x87q%c" % (n, n, n + 1) for n in range(levels))


@pytest.mark.parametrize(
    "data",
    [
        b"}" + thrice(31) + b"Ns.",
        b"}(" + thrice(31) + b"Nu.",
        b"ccollections\nOrderedDict\n](" + thrice(31) + b"Ne\x85R.",
        b"](" + thrice(12) + b"h\x0c" * 100 + b"e.",
        b"]q\x00" + b"h\x00aq\x00" * 100 + b".",
    ],
    ids=["a key", "keys", "keys of an ordered dict", "many of them", "a list in itself"],
)
def test_sharing(data: bytes) -> None:
    assert is_refused(b"\x80\x02" + data)


def test_what_real_files_share_passes() -> None:
    judge_pickle(b"\x80\x02}" + thrice(8) + b"Ns.")
    tied = torch.ones(2, 2)
    judge_pickle(pickled({f"{number}": {"weights": [tied] * 10, "shape": tied.shape} for number in range(1000)}))


def test_too_many_opcodes() -> None:
    assert is_refused(b"\x80\x02(" + b"N" * 2_100_000 + b"t.")


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_otherwise(data: bytes) -> None:
    is_refused(data)


@given(st.integers(0, len(STATE_DICT) - 1), st.binary(min_size=1, max_size=8))
def test_no_change_of_a_state_dict_makes_it_fail_otherwise(place: int, patch: bytes) -> None:
    is_refused(STATE_DICT[:place] + patch + STATE_DICT[place + len(patch) :])


class Recorder(pickle.Unpickler):
    """Looks up nothing; notes what a real unpickler would have looked up."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.found: set[tuple[str, str]] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.found.add((module, name))
        return OrderedDict

    def persistent_load(self, pid: Any) -> Any:
        return pid


@given(
    st.lists(
        st.sampled_from([b"c", b"os\n", b"system\n", b"torch\n", b"Size\n", b")", b"R", b"(", b"t", b"q\x00", b"h\x00"])
    )
)
def test_what_passes_names_only_what_is_allowed(parts: list[bytes]) -> None:
    data = b"\x80\x02" + b"".join(parts) + b"."
    if not is_refused(data):
        recorder = Recorder(data)
        try:
            recorder.load()
        except Exception:  # noqa: BLE001 - the fakes cannot be called like the real ones
            return
        finally:
            assert recorder.found <= ALLOWED_GLOBALS
