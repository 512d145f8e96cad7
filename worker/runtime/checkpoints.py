"""Weight files to state_dicts: nothing in a file is ever executed."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from worker.runtime.opcodes import judge_pickle
from worker.runtime.safetensors_header import judge_safetensors

StateDict = dict[str, Tensor]

ADVICE = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."
WRAPPERS = ("state_dict", "model_state_dict", "model")
PREFIXES = ("module.", "_orig_mod.")
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
MAX_PICKLE_BYTES = 64 * 1024**2
_OTHER_KINDS = {
    b"\x89HDF": "an HDF5 (Keras) file",
    b"\x93NUMPY": "a NumPy file",
    b"\x80\x02\x8a\nl\xfc": "a legacy torch file",
    b"\x08": "an ONNX file",
}


def read_state_dict(path: Path, kind: ModelFormat) -> StateDict:
    """Tensors by name, unwrapped and without ``module.`` prefixes, all finite.

    Raises InputFailure: ``model-invalid``, ``model-unsafe``, ``model-format-not-accepted`` or
    ``model-nonfinite-weights``, naming the tensor where one is at fault.
    """
    tensors = _read_safetensors(path) if kind is ModelFormat.SAFETENSORS else _read_torch(path)
    return _checked(_without_prefixes(tensors))


def write_canonical(state_dict: Mapping[str, Tensor], path: Path) -> None:
    """Plain safetensors: every tensor contiguous and on its own."""
    save_file({name: tensor.detach().clone().contiguous() for name, tensor in state_dict.items()}, path)


def _read_safetensors(path: Path) -> dict[str, object]:
    judge_safetensors(path)
    try:
        return dict(load_file(path))
    except (SafetensorError, ValueError, RuntimeError) as error:
        raise InputFailure("model-invalid", "The safetensors library refuses the file.") from error


def _read_torch(path: Path) -> dict[str, object]:
    _judge_container(path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputFailure("model-invalid", "The file cannot be read as a state_dict.") from error
    for wrapper in WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
            break
    if not isinstance(loaded, dict) or not loaded:
        raise InputFailure("model-invalid", f"The file holds no state_dict. {ADVICE}")
    return loaded


def _judge_container(path: Path) -> None:
    """A torch.save file is a ZIP of stored records with one pickle; everything else is refused by its first bytes."""
    with path.open("rb") as file:
        start = file.read(8)
    if start[:4] != b"PK\x03\x04":
        _refuse_other_kind(start)
    try:
        with zipfile.ZipFile(path) as archive:
            _judge_entries(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise InputFailure("model-invalid", "The file is cut off or not a valid torch.save file.") from error


def _judge_entries(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise InputFailure("archive-duplicate-entry", "Two records of the file have the same name.")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise InputFailure("model-unsafe", f"A record is compressed, which torch.save never does. {ADVICE}")
    inner = [name.split("/", 1)[-1] for name in names]
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        raise InputFailure("model-format-not-accepted", f"TorchScript files contain code. {ADVICE}")
    pickles = [entry for entry in entries if entry.filename.endswith(".pkl")]
    if len(pickles) != 1 or pickles[0].filename.count("/") != 1 or not pickles[0].filename.endswith("/data.pkl"):
        raise InputFailure("model-format-not-accepted", f"The file is not a torch.save file of tensors. {ADVICE}")
    if pickles[0].file_size > MAX_PICKLE_BYTES:
        raise InputFailure("model-unsafe", f"The pickle is too long for a state_dict. {ADVICE}")
    judge_pickle(archive.read(pickles[0]))


def _refuse_other_kind(start: bytes) -> None:
    for magic, kind in _OTHER_KINDS.items():
        if start.startswith(magic):
            raise InputFailure("model-format-not-accepted", f"This is {kind}. {ADVICE}")
    if start[:1] == b"\x80" or start[:1] in b"(c]}":
        raise InputFailure("model-unsafe", f"This is a raw pickle, which could run code. {ADVICE}")
    raise InputFailure("model-invalid", f"This is no torch.save file. {ADVICE}")


def _without_prefixes(tensors: dict[str, object]) -> dict[str, object]:
    """DataParallel and torch.compile put a prefix before every name."""
    for prefix in PREFIXES:
        if tensors and all(isinstance(name, str) and name.startswith(prefix) for name in tensors):
            tensors = {name.removeprefix(prefix): value for name, value in tensors.items()}
    return tensors


def _checked(tensors: dict[str, object]) -> StateDict:
    checked: StateDict = {}
    for name, value in tensors.items():
        if not isinstance(name, str) or not isinstance(value, Tensor) or value.is_sparse:
            raise InputFailure("model-invalid", f"The entry {str(name)[:200]!r} is not a plain tensor. {ADVICE}")
        if value.dtype not in (*FLOATS, *INTEGERS):
            raise InputFailure("model-invalid", f"The tensor {name[:200]!r} has the type {value.dtype}.")
        if value.dtype in FLOATS and not bool(torch.isfinite(value).all()):
            raise InputFailure("model-nonfinite-weights", f"The tensor {name[:200]!r} holds NaN or infinity.")
        checked[name] = value.detach()
    return checked
