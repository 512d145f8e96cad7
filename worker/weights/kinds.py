"""What a file of weights is by its first bytes, where it is neither safetensors nor from ``torch.save``."""

import pickletools
import re
from collections.abc import Sequence
from typing import IO, BinaryIO, cast

from app.imaging.containers import is_tar_header

_STARTS = {
    b"\x89HDF": "an HDF5 (Keras) file",
    b"\x93NUMPY": "a NumPy file",
    b"GGUF": "a GGUF file",
    b"\x1f\x8b\x08": "a gzip file",
    b"7z\xbc\xaf\x27\x1c": "a 7z file",
}
_LEGACY = re.compile(rb"\x80[\x02-\x05](?:\x95.{8})?\x8a\nl\xfc", re.DOTALL)
"""How the files of ``torch.save`` began before version 1.6: with a magic number, pickled."""
_TAR_BLOCK = 512
_VARINT, _BYTES = 0, 2
# Fields of an ONNX ModelProto and their wire types.
_ONNX = dict.fromkeys((1, 5), _VARINT) | dict.fromkeys((2, 3, 4, 6, 7, 8, 14, 20, 25, 26), _BYTES)
_MAX_ARGUMENT = 1024**2
_ENOUGH_OPCODES = 16
"""So many in a row that all find on the stack what they take are no accident."""
_TELLING = frozenset(
    {"PROTO", "STOP", "GLOBAL", "INST", "OBJ", "STACK_GLOBAL", "EXT1", "EXT2", "EXT4", "REDUCE", "NEWOBJ", "BUILD"}
)
"""What begins a pickle or ends it, and what does harm before it breaks."""


def foreign_kind(file: BinaryIO) -> str | None:
    """What the file is, as words for a problem; None for what may be safetensors, from torch, or nothing known."""
    start = _read(file, 0, _TAR_BLOCK)
    if _has_length(start) and start[8:9] == b"{":
        return None
    for magic, kind in _STARTS.items():
        if start.startswith(magic):
            return kind
    if start[4:8] == b"TFL3":
        return "a TFLite file"
    if len(start) == _TAR_BLOCK and is_tar_header(start):
        return "a tar file, as torch wrote them at first"
    return "an ONNX file" if not _has_length(start) and not is_pickle(file) and _is_onnx(file) else None


def is_like_safetensors(file: BinaryIO) -> bool:
    """Whether a length of less than 16 MiB and the beginning of a header stand there."""
    start = _read(file, 0, 9)
    return _has_length(start) and start.endswith(b"{")


def is_legacy_torch(file: BinaryIO) -> bool:
    """Whether torch wrote the file after its tar files and before its ZIP files."""
    return _LEGACY.match(_read(file, 0, 16)) is not None


def is_pickle(file: BinaryIO) -> bool:
    """Whether the file begins with opcodes that an unpickler of any protocol would run; here they are only read."""
    file.seek(0)
    stack: list[bool] = []
    try:
        for number, (opcode, _, _) in enumerate(pickletools.genops(cast("IO[bytes]", _Bounded(file))), 1):
            if not _take(stack, opcode.stack_before):
                return False
            if opcode.name in _TELLING or number >= _ENOUGH_OPCODES:
                return True
            stack += [item is pickletools.markobject for item in opcode.stack_after]
    except (ValueError, LookupError, OverflowError, TypeError):
        return False
    return False


def _take(stack: list[bool], items: Sequence[pickletools.StackObject]) -> bool:
    """Take what an opcode needs off the stack, in which marks are True; whether it was there."""
    count = len(items)
    if pickletools.markobject in items:
        count = items.index(pickletools.markobject)
        if True not in stack:
            return False
        while not stack.pop():
            pass
    if len(stack) < count:
        return False
    del stack[len(stack) - count :]
    return True


class _Bounded:
    """A file whose lines and parts are short, as pickletools reads them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        """Raises ValueError for more than any argument that is worth a look."""
        if size > _MAX_ARGUMENT:
            raise ValueError("a long argument")
        return self._file.read(size)

    def readline(self) -> bytes:
        return self._file.readline(_MAX_ARGUMENT)


def _is_onnx(file: BinaryIO) -> bool:
    """Two fields of a model in any order, or one that fills the file."""
    size, place = file.seek(0, 2), 0
    for _ in range(2):
        key, middle = _varint(file, place)
        number, end = _varint(file, middle)
        if end == middle or _ONNX.get(key >> 3) != key & 7:
            return False
        place = end + number if key & 7 == _BYTES else end
        if place >= size:
            return place == size
    return True


def _varint(file: BinaryIO, place: int) -> tuple[int, int]:
    """A number of a protocol buffer and where the next one stands; 0, which is no field, where there is none."""
    number = 0
    for index, byte in enumerate(_read(file, place, 10)):
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return number, place + index + 1
    return 0, place


def _has_length(start: bytes) -> bool:
    """Whether eight bytes count less than 16 MiB, as safetensors begin."""
    return start[3:8] == bytes(5)


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)
