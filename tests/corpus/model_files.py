"""Hostile model files, made the same every time: what each is, as what it is uploaded, and which problem it gets.

``canary`` is a file that would appear if anything in them ran.
"""

import gzip
import io
import json
import os
import pickle
import struct
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save

from tests.corpus import onnx_files
from tests.waiting import WEIGHTS

ST, PT, ONNX = "safetensors", "state_dict", "onnx"
NUMBER = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
UNSAFE, INVALID, FOREIGN = "model-unsafe", "model-invalid", "model-format-not-accepted"
MISMATCH = "model-architecture-mismatch"
OK = "ok"


class Case(NamedTuple):
    """A file, made with the canary's path."""

    make: Callable[[Path], bytes]
    format: str
    codes: tuple[str, ...]


class Canary:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


def weights() -> bytes:
    return (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes()


def st_file(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def with_metadata(metadata: object) -> bytes:
    return st_file({"__metadata__": metadata, "a": NUMBER}, bytes(4))


def saved(content: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def torch_zip(*records: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file, warnings.catch_warnings(action="ignore"):
        for name, data in records:
            entry = zipfile.ZipInfo(f"archive/{name}")
            entry.compress_type = method
            file.writestr(entry, data)
    return buffer.getvalue()


def with_pickle(pickled: bytes, *more: tuple[str, bytes]) -> bytes:
    return torch_zip(("data.pkl", pickled), ("version", b"3\n"), ("byteorder", b"little"), *more)


def pickled(canary: Path, protocol: int = 2) -> bytes:
    return pickle.dumps(Canary(canary), protocol)


def state_dict() -> dict[str, torch.Tensor]:
    return {"conv1.0.weight": torch.linspace(-1, 1, 648).view(24, 3, 3, 3)}


def whole_module() -> torch.nn.Module:
    module = torch.nn.Linear(2, 2)
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    return module


def expanding() -> bytes:
    """A few hundred bytes whose one tensor says that it holds a tebibyte."""
    return saved({"w": torch.ones(1).expand(2**38)})


def shared_tuples(levels: int) -> bytes:
    """A tuple of three times the tuple below it: few bytes, and years to hash."""
    return b")q\0" + b"".join(b"h%ch%c\x87q%c" % (n, n, n + 1) for n in range(levels))


def shared_lists(levels: int) -> bytes:
    """A list of ten times the list below it."""
    steps = b"".join(b"](" + b"h%c" % n * 10 + b"eq%c0" % (n + 1) for n in range(levels))
    return b"\x80\x02]q\0000" + steps + b"h%c." % levels


SAFETENSORS = {
    "st_ok": Case(lambda _: weights(), ST, (OK,)),
    "st_hdr_1GB": Case(lambda _: st_file({"a": NUMBER}, bytes(4), 2**30), ST, (INVALID,)),
    "st_hdr_negative": Case(lambda _: st_file({"a": NUMBER}, bytes(4), 2**64 - 1), ST, (INVALID,)),
    "st_json_list": Case(lambda _: st_file([1, 2]), ST, (INVALID,)),
    "st_dup_key": Case(
        lambda _: st_file(b'{"a":%b,"a":%b}' % ((json.dumps(NUMBER).encode(),) * 2), bytes(4)), ST, (INVALID,)
    ),
    "st_hole": Case(
        lambda _: st_file({"a": NUMBER, "b": NUMBER | {"data_offsets": [8, 12]}}, bytes(12)), ST, (INVALID,)
    ),
    "st_overlap": Case(lambda _: st_file({"a": NUMBER, "b": NUMBER}, bytes(4)), ST, (INVALID,)),
    "st_trailing": Case(lambda _: weights() + b"x", ST, (INVALID,)),
    "st_cut": Case(lambda _: weights()[:-1], ST, (INVALID,)),
    "st_shape_overflow": Case(lambda _: st_file({"a": NUMBER | {"shape": [2**62, 4]}}, bytes(4)), ST, (INVALID,)),
    "st_negative_shape": Case(lambda _: st_file({"a": NUMBER | {"shape": [-1, -1]}}, bytes(4)), ST, (INVALID,)),
    "st_reversed_offsets": Case(
        lambda _: st_file({"a": NUMBER | {"data_offsets": [4, 0]}}, bytes(4)), ST, (INVALID,)
    ),
    "st_unknown_dtype": Case(lambda _: st_file({"a": NUMBER | {"dtype": "Q4_0"}}, bytes(4)), ST, (INVALID,)),
    "st_metadata": Case(lambda _: with_metadata({"format": "pt"}), ST, (MISMATCH,)),
    "st_metadata_of_numbers": Case(lambda _: with_metadata({"a": 1}), ST, (INVALID,)),
    "st_metadata_list": Case(lambda _: with_metadata(["a"]), ST, (INVALID,)),
    "st_metadata_null": Case(lambda _: with_metadata(None), ST, (INVALID,)),
    "st_empty_file": Case(lambda _: b"", ST, (INVALID,)),
    "st_one_byte": Case(lambda _: b"\x02", ST, (INVALID,)),
    "st_nan_weights": Case(
        lambda _: save({"a": torch.tensor([1.0, torch.nan])}), ST, ("model-nonfinite-weights",)
    ),
    "st_inf_weights": Case(
        lambda _: save({"a": torch.tensor([1.0, -torch.inf])}), ST, ("model-nonfinite-weights",)
    ),
    "st_deep_json": Case(lambda _: st_file(b'{"a":' * 100_000), ST, (INVALID,)),
    "st_evil_names": Case(
        lambda _: save({name: torch.ones(1) for name in ("../../etc/passwd", "a\u202eb\n\x00", "__class__")}),
        ST,
        (MISMATCH,),
    ),
    "pickle_named.safetensors": Case(pickled, ST, (INVALID,)),
    "torch_named.safetensors": Case(lambda _: saved(state_dict()), ST, (INVALID,)),
}  # fmt: skip

TORCH = {
    "pickle_raw.pkl": Case(pickled, PT, (UNSAFE,)),
    "pickle_raw_protocol0.pkl": Case(lambda canary: pickled(canary, 0), PT, (UNSAFE,)),
    "pickle_of_a_number.pkl": Case(lambda _: b"I1\n.", PT, (UNSAFE,)),
    "pickle_of_a_small_number.pkl": Case(lambda _: b"K\x01.", PT, (UNSAFE,)),
    "pickle_call_then_break.pkl": Case(lambda canary: b"K\x01" + pickled(canary, 1)[:-1] + b"\xff", PT, (UNSAFE,)),
    "pickle_named.pt": Case(lambda canary: pickle.dumps([1, 2, {"a": Canary(canary)}], 0), PT, (UNSAFE,)),
    "text.pt": Case(lambda _: b"This is a text, whatever its name says.\n" * 20, PT, (INVALID,)),
    "zeros.pt": Case(lambda _: bytes(2000), PT, (INVALID,)),
    "pt_zip_canary.pt": Case(lambda canary: saved({"w": Canary(canary)}), PT, (INVALID,)),
    "pt_canary_beside_weights.pt": Case(lambda canary: saved(state_dict() | {"w": Canary(canary)}), PT, (MISMATCH,)),
    "pt_two_data_pkl.pt": Case(
        lambda canary: torch_zip(("data.pkl", pickle.dumps({}, 2)), ("data.pkl", pickled(canary))),
        PT,
        ("archive-duplicate-entry", UNSAFE),
    ),
    "pt_nested_protocol4.pt": Case(lambda canary: saved({"w": Canary(canary)}, pickle_protocol=4), PT, (INVALID,)),
    "pt_break_after.pt": Case(lambda canary: with_pickle(pickled(canary)[:-1] + b"\xff\xff"), PT, (INVALID,)),
    "pt_second_pickle.pt": Case(lambda canary: with_pickle(pickle.dumps({}, 2) + pickled(canary)), PT, (UNSAFE,)),
    "pt_deflated.pt": Case(
        lambda _: torch_zip(("data.pkl", pickle.dumps({}, 2)), method=zipfile.ZIP_DEFLATED), PT, (UNSAFE,)
    ),
    "pt_deep_list.pt": Case(
        lambda _: with_pickle(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."), PT, (UNSAFE, INVALID)
    ),
    "pt_truncated.pt": Case(lambda _: saved(state_dict())[:-40], PT, (INVALID,)),
    "pt_expanding.pt": Case(lambda _: expanding(), PT, (INVALID,)),
    "pt_module.pt": Case(lambda _: saved(whole_module()), PT, (MISMATCH,)),
    "pt_legacy_canary.pt": Case(
        lambda canary: saved({"w": Canary(canary)}, _use_new_zipfile_serialization=False), PT, (INVALID,)
    ),
    "torchscript_like.pt": Case(
        lambda _: with_pickle(pickle.dumps({}, 2), ("constants.pkl", pickle.dumps((), 2)), ("code/m.py", b"")),
        PT,
        (FOREIGN, UNSAFE),
    ),
    "program.pt2": Case(
        lambda _: torch_zip(("archive_format", b"pt2"), ("models/model.json", b"{}"), ("version", b"0")),
        PT,
        (FOREIGN, UNSAFE),
    ),
    "pt_slot_state.pt": Case(lambda _: with_pickle(b"\x80\x02cos\nsystem\nN}X\x01\0\0\0aK\x01s\x86b."), PT, (UNSAFE,)),
    "pt_memo_bomb.pt": Case(lambda _: with_pickle(b"\x80\x02Nr\xff\xff\xff\x7f."), PT, (UNSAFE,)),
    "pt_extension.pt": Case(lambda _: with_pickle(b"\x80\x02\x82\x01."), PT, (UNSAFE,)),
    "pt_shared_lists.pt": Case(lambda _: with_pickle(shared_lists(30)), PT, (UNSAFE,)),
    "pt_shared_key.pt": Case(lambda _: with_pickle(b"\x80\x02}" + shared_tuples(31) + b"Ns."), PT, (INVALID,)),
    "pt_deep_key.pt": Case(lambda _: with_pickle(b"\x80\x02})" + b"\x85" * 200_000 + b"Ns."), PT, (INVALID,)),
    "pt_cycle.pt": Case(lambda _: with_pickle(b"\x80\x02}q\0X\x01\0\0\0ah\0s."), PT, (INVALID,)),
    "no_tensors.pt": Case(lambda _: saved([1, 2]), PT, (INVALID,)),
}


def onnx(*order: int) -> bytes:
    """The fields of a small model: IR version, producer, graph, operator set."""
    graph = b"\x0a\x0b\x0a\x01x\x12\x01y\x22\x03Abs\x12\x01g"
    fields = (b"\x08\x07", b"\x12\x07pytorch", b"\x3a" + bytes([len(graph)]) + graph, b"\x42\x02\x10\x11")
    return b"".join(fields[place] for place in order)


def oldest_torch_file() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("storages", "tensors", "pickle"):
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


FOREIGN_MAKERS: dict[str, Callable[[], bytes]] = {
    "keras.h5": lambda: b"\x89HDF\r\n\x1a\n" + bytes(200),
    "numpy_object.npy": lambda: b"\x93NUMPY\x01\x00v\x00" + bytes(200),
    "llama.gguf": lambda: b"GGUF\x03\0\0\0" + bytes(200),
    "mobile.tflite": lambda: b"\x1c\0\0\0TFL3" + bytes(200),
    "weights.tar": oldest_torch_file,
    "weights.gz": lambda: gzip.compress(weights()[:1000], mtime=0),
    "weights.7z": lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(200),
    "model.onnx": lambda: onnx(0, 1, 2, 3),
    "model_of_pytorch.onnx": lambda: b"\x08\x07\x12\x07pytorch" + bytes(200),
    "model_by_its_producer.onnx": lambda: onnx(1, 0, 3, 2),
    "model_by_its_graph.onnx": lambda: onnx(2, 0),
    "model_by_its_operators.onnx": lambda: onnx(3, 2, 0),
    "model_of_a_graph_alone.onnx": lambda: onnx(2),
}
FOREIGN_FILES = {
    f"{name}, said to be {kind}": Case(lambda _, make=make: make(), kind, (FOREIGN,))  # type: ignore[misc]
    for name, make in FOREIGN_MAKERS.items()
    for kind in (ST, PT)
}

GRAPHS = {
    **{name: Case(lambda _, make=make: make(), ONNX, (OK,)) for name, make in onnx_files.GOOD.items()},  # type: ignore[misc]
    **{
        name: Case(lambda _, make=make: make(), ONNX, codes)  # type: ignore[misc]
        for name, (make, codes) in onnx_files.HOSTILE.items()
    },
    "pickle.onnx": Case(lambda canary: pickle.dumps(Canary(canary), 2), ONNX, (INVALID,)),
    "pt_canary.onnx": Case(lambda canary: with_pickle(pickle.dumps(Canary(canary), 2)), ONNX, (INVALID,)),
    "weights.safetensors, said to be onnx": Case(lambda _: weights(), ONNX, (INVALID,)),
}

MODEL_FILES: dict[str, Case] = SAFETENSORS | TORCH | FOREIGN_FILES | GRAPHS
REFUSED_FORMATS = ("keras", "torchscript", "pt2", "pickle", "npy", "tflite", "gguf")
