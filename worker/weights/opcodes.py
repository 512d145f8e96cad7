"""Judges a pickle by its opcodes before anything unpickles it: only what a state_dict needs may occur."""

import pickletools
from collections.abc import Iterator
from typing import NamedTuple

from app.errors import InputFailure

MAX_OPCODES = 2_000_000
MAX_DEPTH = 32
MAX_VISITS = 32_000_000
"""Of values by whoever walks through all that the pickle builds: shared ones count each time that they occur."""

_STORAGES = ("Float", "Double", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
ALLOWED_GLOBALS = frozenset(
    {
        ("collections", "OrderedDict"),
        ("torch", "Size"),
        ("torch._utils", "_rebuild_parameter"),
        ("torch._utils", "_rebuild_tensor_v2"),
    }
    | {("torch", f"{kind}Storage") for kind in _STORAGES}
)

_LEAVES = frozenset(
    {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "NONE", "NEWTRUE", "NEWFALSE", "GLOBAL"}
    | {"EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"}
)
# How many values an opcode takes off the stack; None: all above the last mark. What remains is wrapped or filled.
_WRAPPED: dict[str, int | None] = {
    "TUPLE": None, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "BINPERSID": 1, "REDUCE": 2,
}  # fmt: skip
_FILLED: dict[str, int | None] = {"APPEND": 1, "APPENDS": None, "SETITEM": 2, "SETITEMS": None, "BUILD": 1}


def judge_pickle(data: bytes) -> None:
    """Raises InputFailure ``model-unsafe`` where the stream could do anything that a state_dict has no use for.

    The stream is only read, never run: opcodes and globals outside the lists, nesting beyond ``MAX_DEPTH`` (the hash
    of a deeply nested tuple overflows the C stack), sharing beyond ``MAX_VISITS`` (a tuple of three times the tuple
    below it, thirty levels deep, takes few bytes and years to hash), and bytes after the first STOP are refused.
    """
    shapes = _Shapes()
    try:
        for number, (name, argument) in enumerate(_opcodes(data)):
            if name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in ALLOWED_GLOBALS:
                raise _unsafe(f"The pickle names {str(argument)[:100]!r}, which no state_dict needs.")
            if not shapes.follow(name, argument):
                raise _unsafe(f"The pickle uses the opcode {name}.")
            if number > MAX_OPCODES or shapes.deepest > MAX_DEPTH or shapes.visits > MAX_VISITS:
                raise _unsafe("The pickle is too long or nested too deeply for a state_dict.")
    except (ValueError, LookupError, OverflowError, TypeError) as error:
        raise _unsafe("The pickle is broken.") from error


class _Shape(NamedTuple):
    """Of a value: how deep it is nested, and how many values it holds, itself among them."""

    depth: int = 0
    size: int = 1


class _Shapes:
    """The unpickler's stack and memo, with every value replaced by its shape; None is a mark."""

    def __init__(self) -> None:
        self.deepest = 0
        self.visits = 0
        self._stack: list[_Shape | None] = []
        self._memo: dict[object, _Shape] = {}

    def follow(self, name: str, argument: object) -> bool:
        """Whether the opcode is one that a state_dict needs."""
        if name in {"PROTO", "STOP"}:
            return True
        if name in _LEAVES or name == "MARK":
            self._stack.append(None if name == "MARK" else _Shape())
        elif name in _WRAPPED:
            items = self._pop(_WRAPPED[name])
            self._push(_Shape(1 + max((item.depth for item in items), default=0), 1 + self._visit(items)))
        elif name in _FILLED:
            items = self._pop(_FILLED[name])
            filled = self._pop(1)[0]
            depth = max([filled.depth, *(1 + item.depth for item in items)])
            self._push(_Shape(depth, filled.size + self._visit(items)))
        elif name in {"BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = self._pop(1)[0]
            self._push(self._memo[argument])
        elif name in {"BINGET", "LONG_BINGET"}:
            self._push(self._memo[argument])
        else:
            return False
        return True

    def _visit(self, items: list[_Shape]) -> int:
        size = sum(item.size for item in items)
        self.visits += size
        return size

    def _push(self, shape: _Shape) -> None:
        self.deepest = max(self.deepest, shape.depth)
        self._stack.append(shape)

    def _pop(self, count: int | None) -> list[_Shape]:
        popped: list[_Shape] = []
        while count is None or len(popped) < count:
            shape = self._stack.pop()
            if shape is None:
                if count is None:
                    break
                raise ValueError("a mark where a value belongs")
            popped.append(shape)
        return popped


def _opcodes(data: bytes) -> Iterator[tuple[str, object]]:
    end = 0
    for opcode, argument, position in pickletools.genops(data):
        end = (position or 0) + 1
        yield opcode.name, argument
    if end != len(data):
        raise _unsafe("Bytes follow the end of the pickle.")


def _unsafe(detail: str) -> InputFailure:
    advice = "Upload the weights as safetensors, or as torch.save(model.state_dict(), path)."
    return InputFailure("model-unsafe", f"{detail} {advice}")
