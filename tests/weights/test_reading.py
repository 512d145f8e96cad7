"""Weight files: what is read, how, and what hostile files get."""

import io
import json
import os
import pickle
import struct
import zipfile
from copy import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from tests.weights.weight_files import read_all, same
from worker.weights.loading import StateDict, canonical_parts

ST, PT = ModelFormat.SAFETENSORS, ModelFormat.STATE_DICT
WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3), "a.bias": torch.ones(2), "count": torch.tensor(3)}


class Canary:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.trace}",)


def save(content: Any, path: Path) -> Path:
    torch.save(content, path)
    return path


def read_state_dict(path: Path, kind: ModelFormat) -> StateDict:
    return read_all(path.read_bytes(), kind)


def refusal(path: Path, kind: ModelFormat = PT) -> InputFailure:
    with pytest.raises(InputFailure) as caught:
        read_state_dict(path, kind)
    return caught.value


def rewritten(path: Path, changed: dict[str, bytes], **options: Any) -> Path:
    """The torch file with other records, each written by Python."""
    with zipfile.ZipFile(path) as old:
        records = {name: old.read(name) for name in old.namelist()} | changed
    with zipfile.ZipFile(path, "w", **options) as new:
        for name, data in records.items():
            new.writestr(name, data)
    return path


def torch_zip(path: Path, pickled: bytes, *more: tuple[str, bytes]) -> Path:
    records = [("archive/data.pkl", pickled), ("archive/version", b"3\n"), ("archive/byteorder", b"little"), *more]
    with zipfile.ZipFile(path, "w") as file:
        for name, data in records:
            file.writestr(name, data)
    return path


def st_file(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def test_safetensors(tmp_path: Path) -> None:
    save_file(WEIGHTS, tmp_path / "m")
    assert same(read_state_dict(tmp_path / "m", ST), WEIGHTS)


def test_a_module_s_own_state_dict_and_parameters(tmp_path: Path) -> None:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    assert same(read_state_dict(save(module.state_dict(), tmp_path / "m"), PT), dict(module.state_dict()))
    parameters = dict(module.named_parameters())
    assert same(read_state_dict(save(parameters, tmp_path / "p"), PT), parameters)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("kind", [ST, PT])
def test_floats_become_float32(tmp_path: Path, dtype: torch.dtype, kind: ModelFormat) -> None:
    weights = {"w": torch.linspace(-1, 1, 9).to(dtype)}
    (save_file if kind is ST else torch.save)(weights, tmp_path / "m")
    found = read_state_dict(tmp_path / "m", kind)["w"]
    assert found.dtype is torch.float32
    assert torch.equal(found, weights["w"].float())


def test_canonical_file_holds_the_same(tmp_path: Path) -> None:
    shared = torch.arange(12.0).view(3, 4)
    weights = {"a": shared, "b": shared, "c": shared.T}
    (tmp_path / "m").write_bytes(b"".join(canonical_parts(weights)))
    assert same(load_file(tmp_path / "m"), weights)
    assert same(read_state_dict(tmp_path / "m", ST), weights)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [ST, PT])
def test_nonfinite_weights_are_named(tmp_path: Path, value: float, kind: ModelFormat) -> None:
    weights = {"fine": torch.ones(3), "layer.weight": torch.tensor([1.0, value])}
    (save_file if kind is ST else torch.save)(weights, tmp_path / "m")
    failure = refusal(tmp_path / "m", kind)
    assert failure.code == "model-nonfinite-weights"
    assert "'layer.weight'" in failure.detail


def test_double_that_overflows_float32(tmp_path: Path) -> None:
    failure = refusal(save({"w": torch.tensor([1e300], dtype=torch.float64)}, tmp_path / "m"))
    assert failure.code == "model-nonfinite-weights"


GOOD = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}


@pytest.mark.parametrize(
    ("header", "data", "length"),
    [
        ({"a": GOOD}, b"\0" * 4, 2**30),
        ({"a": GOOD}, b"\0" * 4, 2**64 - 1),
        ([1, 2], b"", None),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
         b"\0" * 4, None),
        ({"a": GOOD, "b": GOOD | {"data_offsets": [8, 12]}}, b"\0" * 12, None),
        ({"a": GOOD, "b": GOOD}, b"\0" * 4, None),
        ({"a": GOOD}, b"\0" * 5, None),
        ({"a": GOOD}, b"\0" * 3, None),
        ({"a": GOOD | {"shape": [2**62, 4]}}, b"\0" * 4, None),
        ({"a": GOOD | {"shape": [2**62, 2**62, 0], "data_offsets": [0, 0]}}, b"", None),
        ({"a": GOOD | {"shape": [1] * 500}}, b"\0" * 4, None),
        ({"a": GOOD | {"shape": [-1, -1]}}, b"\0" * 4, None),
        ({"a": GOOD | {"shape": "1"}}, b"\0" * 4, None),
        ({"a": GOOD | {"data_offsets": [4, 0]}}, b"\0" * 4, None),
        ({"a": GOOD | {"dtype": "F8_E4M3", "shape": [4]}}, b"\0" * 4, None),
        ({"a": 7}, b"", None),
        (b"[" * 100_000, b"", None),
        (b'{"a":' * 100_000, b"", None),
        (b"\xff\xfe", b"", None),
        (b'{"a":' + b"1" * 5000 + b"}", b"", None),
    ],
)  # fmt: skip
def test_broken_safetensors(tmp_path: Path, header: object, data: bytes, length: int | None) -> None:
    assert refusal(st_file(tmp_path / "m", header, data, length), ST).code == "model-invalid"


def test_no_safetensors_at_all(tmp_path: Path) -> None:
    path = tmp_path / "m"
    for content in (b"", b"\x02", pickle.dumps({"a": 1}), b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(content)
        assert refusal(path, ST).code == "model-invalid"


@pytest.mark.parametrize("protocol", [2, 4])
def test_canary_never_runs(tmp_path: Path, protocol: int) -> None:
    """The tensors beside it are read; it is nothing."""
    path, trace = tmp_path / "m", tmp_path / "trace"
    content = WEIGHTS | {"w": Canary(trace)}
    torch.save(content, path, pickle_protocol=protocol)
    assert same(read_state_dict(path, PT), WEIGHTS)
    torch.save(content, path, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    assert same(read_state_dict(path, PT), WEIGHTS)
    broken = pickle.dumps(Canary(trace), protocol)[:-1] + b"\xff\xff"
    assert refusal(torch_zip(path, broken)).code == "model-invalid"
    path.write_bytes(pickle.dumps(Canary(trace), protocol))
    assert refusal(path).code == "model-unsafe"
    assert not trace.exists()


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"\x89HDF\r\n\x1a\n", "model-format-not-accepted"),
        (b"\x93NUMPY\x01\x00", "model-format-not-accepted"),
        (b"\x08\x07\x12\x07pytorch", "model-format-not-accepted"),
        (b"", "model-invalid"),
        (b"hello", "model-invalid"),
        (b"PK\x03\x04", "model-invalid"),
        (struct.pack("<Q", 40) + b"{", "model-invalid"),
    ],
)
def test_other_kinds_of_file(tmp_path: Path, start: bytes, code: str) -> None:
    (tmp_path / "m").write_bytes(start + b"\0" * (100 if start else 0))
    assert refusal(tmp_path / "m").code == code


def test_structure_of_the_zip(tmp_path: Path) -> None:
    path = save(WEIGHTS, tmp_path / "m")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refusal(path).code == "model-invalid"
    path.write_bytes(whole)
    assert refusal(rewritten(path, {}, compression=zipfile.ZIP_DEFLATED)).code == "model-unsafe"
    good = pickle.dumps({}, 2)
    with pytest.warns(UserWarning, match="Duplicate name"):
        torch_zip(path, good, ("archive/data.pkl", pickle.dumps(Canary(tmp_path / "trace"), 2)))
    assert refusal(path).code == "archive-duplicate-entry"
    assert refusal(torch_zip(path, good, ("archive/constants.pkl", good))).code == "model-format-not-accepted"
    assert refusal(torch_zip(path, good, ("archive/more/data.pkl", good))).code == "model-unsafe"
    assert refusal(torch_zip(path, good + b"N.")).code == "model-unsafe"


def test_records_that_share_their_bytes(tmp_path: Path) -> None:
    path = save({"w": torch.ones(5000)}, tmp_path / "m")
    with zipfile.ZipFile(path, "a") as file:
        (record,) = [entry for entry in file.infolist() if entry.filename.endswith("data/0")]
        for number in range(1, 200):
            other = copy(record)
            other.filename = record.filename[:-1] + str(number)
            file.filelist.append(other)
        file.writestr("m/last", b"")
    failure = refusal(path)
    assert failure.code == "model-unsafe"
    assert "overlap" in failure.detail


def test_one_number_stretched_over_terabytes(tmp_path: Path) -> None:
    stretched = torch.ones(1).expand(2**40)
    failure = refusal(save({"w": stretched}, tmp_path / "m"))
    assert failure.code == "model-invalid"
    assert "'w'" in failure.detail


def test_storage_that_claims_more_than_its_record(tmp_path: Path) -> None:
    path = save({"w": torch.ones(4)}, tmp_path / "m")
    with zipfile.ZipFile(path) as file:
        (name,) = [name for name in file.namelist() if name.endswith("data.pkl")]
        pickled = file.read(name)
    longer = pickled.replace(b"cpuq\x06K\x04", b"cpuq\x06J" + struct.pack("<i", 10**6))
    assert longer != pickled
    assert refusal(rewritten(path, {name: longer})).code == "model-invalid"


def test_complex_numbers_are_refused_by_name(tmp_path: Path) -> None:
    failure = refusal(save({"w": torch.ones(2, dtype=torch.complex64)}, tmp_path / "m"))
    assert failure.code == "model-invalid"
    assert "'w'" in failure.detail
    assert "complex" in failure.detail.lower()


def test_file_that_only_torch_reads_otherwise(tmp_path: Path) -> None:
    """Two archives in one file: what is read is what the last directory says, and nothing runs."""
    evil, good = io.BytesIO(), io.BytesIO()
    torch.save({"w": Canary(tmp_path / "trace")}, evil)
    torch.save(WEIGHTS, good)
    (tmp_path / "m").write_bytes(evil.getvalue() + good.getvalue())
    assert same(read_state_dict(tmp_path / "m", PT), WEIGHTS)
    assert not (tmp_path / "trace").exists()
