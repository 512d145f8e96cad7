"""From what torch pickles of a tensor to the tensor: the functions that it would call, written anew and checked."""

from dataclasses import replace
from typing import Protocol

import torch

from app.domain.refusals.weights import DAMAGED, TENSOR_KIND
from app.errors import InputFailure
from worker.weights.lazy import LazyTensor, Span, Stored
from worker.weights.records import Call, Global, Persistent

_MAX_WRAPS = 8
STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}  # fmt: skip
DTYPES = {
    "float64": torch.float64, "double": torch.float64, "float32": torch.float32, "float": torch.float32,
    "float16": torch.float16, "half": torch.float16, "bfloat16": torch.bfloat16, "int64": torch.int64,
    "int32": torch.int32, "int16": torch.int16, "int8": torch.int8, "uint8": torch.uint8, "bool": torch.bool,
}  # fmt: skip
_PLAIN = {"_rebuild_tensor": 4, "_rebuild_tensor_v2": 4, "_rebuild_tensor_v3": 4}
_WRAPPERS = frozenset({"_rebuild_parameter", "_rebuild_parameter_with_state"})
_UTILS = "torch._utils"


class Storages(Protocol):
    """Where a file has the bytes of its storages."""

    def span(self, key: str) -> Span:
        """Raises KeyError where there is none of that key."""


def is_tensor(value: object) -> bool:
    """Whether torch would make a tensor of this record."""
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return False
    module, name = value.function.module, value.function.name
    return (module == _UTILS and name.startswith("_rebuild_")) or (module, name) == (
        "torch._tensor",
        "_rebuild_from_type_v2",
    )


def rebuilt(name: str, record: object, storages: Storages) -> LazyTensor:
    """The tensor that the record describes; every element lies within the bytes of its storage.

    Raises InputFailure ``model-invalid``, naming the tensor.
    """
    for _ in range(_MAX_WRAPS):
        if not isinstance(record, Call) or not isinstance(record.function, Global):
            break
        kind, arguments = record.function.name, record.arguments
        if kind in _PLAIN:
            return _plain(name, kind, arguments, storages)
        if kind in _WRAPPERS and arguments:
            record = arguments[0]
        elif kind == "_rebuild_from_type_v2" and len(arguments) >= 3 and isinstance(arguments[2], tuple):
            record = Call(arguments[0], arguments[2])
        else:
            raise TENSOR_KIND.failure(name=repr(name), kind=kind.removeprefix("_rebuild_"))
    raise DAMAGED.failure(what=f"the tensor {name[:200]!r} is described by nothing that torch writes")


def _plain(name: str, kind: str, arguments: tuple[object, ...], storages: Storages) -> LazyTensor:
    try:
        storage, offset, shape, stride, *more = arguments
        span, stored_as = _storage(storage, storages)
        dtype = _dtype(more[2]) if kind == "_rebuild_tensor_v3" else stored_as
        if dtype is None:
            raise TENSOR_KIND.failure(name=repr(name), kind=_type_name(storage, more))
        found = Stored(span, dtype, _sizes(shape), _sizes(stride), offset)  # type: ignore[arg-type]
        found.check()
    except InputFailure:
        raise
    except (ValueError, LookupError, TypeError) as error:
        raise DAMAGED.failure(what=f"the tensor {name[:200]!r} does not fit the bytes of its storage") from error
    return found


def _storage(record: object, storages: Storages) -> tuple[Span, torch.dtype | None]:
    """Of ``('storage', type, key, device, count, ...)``; where a device was, it was."""
    if not isinstance(record, Persistent) or not isinstance(record.id, tuple):
        raise TypeError("no storage")
    word, kind, key, _, count, *view = record.id
    dtype = STORAGES.get(kind.name) if isinstance(kind, Global) else None
    span = storages.span(str(key))
    if word != "storage" or type(count) is not int or count < 0:
        raise ValueError("no storage")
    if view and isinstance(view[0], tuple) and dtype is not None:
        span = _part(span, view[0], dtype.itemsize)
    # A record that claims more than its bytes is damaged, whatever of it is needed.
    elif dtype is not None and count * dtype.itemsize > span.size:
        raise ValueError("a storage shorter than it says")
    return span, dtype


def _part(span: Span, view: tuple[object, ...], width: int) -> Span:
    """Of a storage that was a view of another one, as torch 0.4 had them: key, offset, count."""
    _, offset, count = view
    if type(offset) is not int or type(count) is not int or min(offset, count) < 0:
        raise ValueError("no view")
    if (offset + count) * width > span.size:
        raise ValueError("a view beyond its storage")
    return replace(span, begin=span.begin + offset * width, size=count * width)


def _dtype(value: object) -> torch.dtype | None:
    return DTYPES.get(value.name) if isinstance(value, Global) and value.module == "torch" else None


def _type_name(storage: object, more: list[object]) -> str:
    told = [item.name for item in more if isinstance(item, Global) and item.module == "torch"]
    kind = storage.id[1] if isinstance(storage, Persistent) and isinstance(storage.id, tuple) else None
    return told[0] if told else kind.name if isinstance(kind, Global) else "unknown"


def _sizes(value: object) -> tuple[int, ...]:
    """Of a tuple, or of a ``torch.Size``."""
    if isinstance(value, Call) and isinstance(value.function, Global) and value.function.path == "torch.Size":
        (value,) = value.arguments
    if not isinstance(value, (tuple, list)):
        raise TypeError("no sizes")
    return tuple(value)
