"""Weight files to state_dicts: nothing in a file is ever executed."""

import re
from collections.abc import Iterator, Mapping
from os.path import commonprefix
from typing import BinaryIO

import torch
from torch import Tensor

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure
from worker.weights.safetensors_file import read_safetensors, safetensors_parts
from worker.weights.torch_file import ADVICE, judge_torch_file, refuse_foreign_file

StateDict = dict[str, Tensor]

WRAPPERS = ("state_dict", "model_state_dict", "model")
FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool)
# Tied weights share a storage, so tensors may hold more bytes than their file; this much more is no state_dict.
MAX_EXPANSION = 4
SLACK_BYTES = 1024**2
_PREFIXES = re.compile(r"(?:module\.|_orig_mod\.)+")


def read_state_dict(file: BinaryIO, kind: ModelFormat) -> StateDict:
    """Tensors by name, unwrapped and without ``module.`` prefixes; floating point ones float32 and finite.

    Raises InputFailure: ``model-invalid``, ``model-unsafe``, ``model-format-not-accepted``,
    ``archive-duplicate-entry`` or ``model-nonfinite-weights``, naming the tensor where one is at fault.
    """
    tensors = _read_safetensors(file) if kind is ModelFormat.SAFETENSORS else _read_torch(file)
    plain = _plain_tensors(_without_prefixes(tensors))
    _check_expansion(plain, file.seek(0, 2))
    return {name: _finite_float32(name, tensor) for name, tensor in plain.items()}


def canonical_parts(state_dict: Mapping[str, Tensor]) -> Iterator[bytes]:
    """Plain safetensors, piece by piece: every tensor contiguous and on its own."""
    return safetensors_parts(state_dict)


def _read_safetensors(file: BinaryIO) -> dict[object, object]:
    refuse_foreign_file(file)
    return dict(read_safetensors(file).items())


def _read_torch(file: BinaryIO) -> dict[object, object]:
    judge_torch_file(file)
    file.seek(0)
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputFailure("model-invalid", "The file cannot be read as a state_dict.") from error
    for wrapper in WRAPPERS:
        if isinstance(loaded, dict) and isinstance(loaded.get(wrapper), dict):
            loaded = loaded[wrapper]
            break
    if not isinstance(loaded, dict) or not loaded:
        raise InputFailure("model-invalid", f"The file holds no state_dict. {ADVICE}")
    return dict(loaded)


def _without_prefixes(tensors: dict[object, object]) -> dict[object, object]:
    """DataParallel and torch.compile put a prefix before every name, in either order, and some trainers twice."""
    names = [name for name in tensors if isinstance(name, str)]
    if len(names) < len(tensors):
        return tensors
    prefix = _PREFIXES.match(commonprefix(names))  # noqa: RUF071 - letter by letter is what is wanted
    return {name[prefix.end() :] if prefix else name: tensors[name] for name in names}


def _plain_tensors(tensors: Mapping[object, object]) -> StateDict:
    plain: StateDict = {}
    for name, value in tensors.items():
        if not isinstance(name, str):
            raise InputFailure("model-invalid", f"An entry is named by a {type(name).__name__}. {ADVICE}")
        if not isinstance(value, Tensor) or value.layout is not torch.strided or value.device.type != "cpu":
            raise InputFailure("model-invalid", f"The entry {name[:200]!r} is not a plain tensor. {ADVICE}")
        if value.dtype not in (*FLOATS, *INTEGERS):
            raise InputFailure("model-invalid", f"The tensor {name[:200]!r} has the type {value.dtype}.")
        plain[name] = value.detach()
    return plain


def _check_expansion(tensors: StateDict, file_bytes: int) -> None:
    """A stride of zero makes a tensor of any size from one number: it must not be touched before this."""
    total = 0
    for name, tensor in tensors.items():
        total += tensor.numel() * tensor.element_size()
        if total > MAX_EXPANSION * file_bytes + SLACK_BYTES:
            raise InputFailure("model-invalid", f"The tensor {name[:200]!r} holds more numbers than the file.")


def _finite_float32(name: str, tensor: Tensor) -> Tensor:
    """Half precision is upcast, since salience is computed in float32; doubles may overflow on their way."""
    if not tensor.is_floating_point():
        return tensor
    single = tensor.float()
    if not bool(torch.isfinite(single).all()):
        raise InputFailure("model-nonfinite-weights", f"The tensor {name[:200]!r} holds NaN or infinity.")
    return single
