"""Judges a pickle by its opcodes before anything unpickles it: only what a state_dict needs may occur."""

import pickletools
from collections.abc import Iterator

from app.errors import InputFailure

MAX_OPCODES = 2_000_000
MAX_DEPTH = 32

_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
ALLOWED_GLOBALS = frozenset(
    {("collections", "OrderedDict"), ("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_parameter")}
    | {("torch", f"{kind}Storage") for kind in _STORAGES}
)
_FORBIDDEN = frozenset(
    {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "EXT1", "EXT2", "EXT4", "PERSID", "NEXT_BUFFER"}
    | {"READONLY_BUFFER", "BYTEARRAY8", "FRAME"}
)


def judge_pickle(data: bytes) -> None:
    """Raises InputFailure ``model-unsafe`` where the stream could call anything that a state_dict has no use for.

    The stream is only read, never run: it must end with its first STOP and hold nothing after it.
    """
    depth = 0
    for number, (name, argument) in enumerate(_opcodes(data)):
        if name in _FORBIDDEN:
            raise _unsafe(f"The pickle uses the opcode {name}.")
        if name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in ALLOWED_GLOBALS:
            raise _unsafe(f"The pickle names {str(argument)[:100]!r}, which no state_dict needs.")
        depth += (name == "MARK") - (name in {"TUPLE", "LIST", "DICT", "APPENDS", "SETITEMS", "POP_MARK"})
        if number > MAX_OPCODES or depth > MAX_DEPTH:
            raise _unsafe("The pickle is too long or nested too deeply for a state_dict.")


def _opcodes(data: bytes) -> Iterator[tuple[str, object]]:
    end = 0
    try:
        for opcode, argument, position in pickletools.genops(data):
            end = (position or 0) + 1
            yield opcode.name, argument
    except ValueError as error:
        raise _unsafe("The pickle is broken.") from error
    if end != len(data):
        raise _unsafe("Bytes follow the end of the pickle.")


def _unsafe(detail: str) -> InputFailure:
    advice = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."
    return InputFailure("model-unsafe", f"{detail} {advice}")
