"""From tensors in a file to a state_dict in memory."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import torch
from torch import Tensor

from app.domain.refusals.weights import NONFINITE, TENSOR_KIND, TOO_MANY_NUMBERS
from worker.weights.lazy import LazyTensor
from worker.weights.safetensors_file import read_safetensors, safetensors_parts

StateDict = dict[str, Tensor]

READABLE = frozenset(
    {torch.float32, torch.float64, torch.float16, torch.bfloat16}
    | {torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool}
)
# Tied weights share a storage, so tensors may hold more bytes than their file; this much more is no state_dict.
MAX_EXPANSION = 4
SLACK_BYTES = 1024**2


def load(tensors: Mapping[str, LazyTensor], file_bytes: int) -> StateDict:
    """The numbers: floating point ones float32 and finite, others as they are.

    Raises InputFailure ``model-invalid`` or ``model-nonfinite-weights``, naming the tensor.
    """
    _check(tensors, file_bytes)
    return {name: _finite_float32(name, tensor.read()) for name, tensor in tensors.items()}


def _check(tensors: Mapping[str, LazyTensor], file_bytes: int) -> None:
    """A stride of zero makes a tensor of any size from one number: it must not be touched before this."""
    total = 0
    for name, tensor in tensors.items():
        if tensor.dtype not in READABLE:
            raise TENSOR_KIND.failure(name=repr(name), kind=str(tensor.dtype))
        count = 1
        for size in tensor.shape:
            count *= size
        total += count * tensor.dtype.itemsize
        if total > MAX_EXPANSION * file_bytes + SLACK_BYTES:
            raise TOO_MANY_NUMBERS.failure(name=repr(name))


def _finite_float32(name: str, tensor: Tensor) -> Tensor:
    """Half precision is upcast, since salience is computed in float32; doubles may overflow on their way."""
    if not tensor.is_floating_point():
        return tensor
    single = tensor.float()
    if not bool(torch.isfinite(single).all()):
        raise NONFINITE.failure(name=repr(name))
    return single


def read_canonical(file: BinaryIO) -> StateDict:
    """A model's canonical safetensors, as ``canonical_parts`` wrote it."""
    return load(read_safetensors(file), file.seek(0, 2))


def canonical_parts(state_dict: Mapping[str, Tensor]) -> Iterator[bytes]:
    """Plain safetensors, piece by piece: every tensor contiguous and on its own."""
    return safetensors_parts(state_dict)
