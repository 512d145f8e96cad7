"""An interpreter of pickles that calls nothing: it takes a stream apart into records, and sets no attribute.

The standard library's Unpickler is no way to this. Its BUILD sets attributes of whatever class or function it was
given, its memo grows to any index, and its dicts hash keys of any depth.
"""

import pickletools
from collections.abc import Callable
from typing import IO, cast

from app.domain.refusals.weights import DAMAGED, UNSAFE
from worker.weights.pickle_stack import Stack
from worker.weights.pickle_stream import Bounded
from worker.weights.records import Call, Global, Members, Pairs, Persistent

MAX_GLOBALS = 5_000
"""Distinct names: a checkpoint with a whole module in it has some hundreds."""

_PLAIN = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": Pairs,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": Members,
}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_REFUSED = frozenset({"EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"})


def read_pickle(file: IO[bytes], *, max_bytes: int, outside: list[Persistent] | None = None) -> object:
    """The value of the pickle that begins here, of records; the file then stands behind its STOP.

    ``outside`` is filled with what it says lies elsewhere.

    Raises InputFailure ``model-invalid`` for a broken stream, ``model-unsafe`` for what no file of weights needs.
    """
    reader = _Reader([] if outside is None else outside)
    try:
        for opcode, argument, _ in pickletools.genops(cast("IO[bytes]", Bounded(file, max_bytes))):
            reader.follow(opcode.name, argument)
        return reader.result()
    except (ValueError, LookupError, OverflowError, TypeError, AttributeError) as error:
        raise DAMAGED.failure(what="its pickle is broken") from error


class _Reader(Stack):
    """Follows opcodes; every value on the stack and in the memo is plain or a record."""

    def __init__(self, outside: list[Persistent]) -> None:
        super().__init__()
        self._outside = outside
        self._globals: dict[tuple[str, str], Global] = {}

    def follow(self, name: str, argument: object) -> None:
        """One opcode; refuses with ValueError or IndexError what finds not what it takes."""
        self._count()
        if name in _PLAIN:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            self._stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            self._stack.append(self._pop(_TUPLES[name]))
        elif name in _REFUSED:
            raise UNSAFE.failure(what=f"its pickle uses the opcode {name}")
        elif name not in {"PROTO", "FRAME", "STOP"}:
            _OTHERS[name](self, argument)

    def make_tuple(self, _: object) -> None:
        items = tuple(self._pop_to_mark())
        self._stack.append(items)

    def make_list(self, _: object) -> None:
        items = self._pop_to_mark()
        self._stack.append(items)

    def make_dict(self, _: object) -> None:
        items = _paired(self._pop_to_mark())
        self._stack.append(Pairs(items))

    def make_set(self, _: object) -> None:
        items = self._pop_to_mark()
        self._stack.append(Members(items))

    def append(self, _: object) -> None:
        (item,) = self._pop(1)
        self._elements().append(item)

    def extend(self, _: object) -> None:
        items = self._pop_to_mark()
        self._elements().extend(items)

    def set_item(self, _: object) -> None:
        key, item = self._pop(2)
        self._items().append((key, item))

    def set_items(self, _: object) -> None:
        items = _paired(self._pop_to_mark())
        self._items().extend(items)

    def _elements(self) -> list[object]:
        top = self._stack[-1]
        if isinstance(top, list):
            return top
        if isinstance(top, (Members, Call)):
            return top.elements
        raise ValueError("no list to fill")

    def _items(self) -> list[tuple[object, object]]:
        top = self._stack[-1]
        if isinstance(top, Pairs):
            return top.items
        if isinstance(top, Call):
            return top.pairs
        raise ValueError("no dict to fill")

    def look_up(self, argument: object) -> None:
        module, _, name = str(argument).partition(" ")
        self._stack.append(self._global(module, name))

    def look_up_stack(self, _: object) -> None:
        module, name = self._pop(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is no text")
        self._stack.append(self._global(module, name))

    def _global(self, module: str, name: str) -> Global:
        if (module, name) not in self._globals:
            if len(self._globals) >= MAX_GLOBALS:
                raise UNSAFE.failure(what="its pickle names too many classes")
            self._globals[module, name] = Global(module, name)
        return self._globals[module, name]

    def reduce(self, _: object) -> None:
        function, arguments = self._pop(2)
        self._stack.append(_called(function, arguments))

    def new_with_keywords(self, _: object) -> None:
        made, arguments, _keywords = self._pop(3)
        self._stack.append(_called(made, arguments))

    def instance(self, argument: object) -> None:
        module, _, name = str(argument).partition(" ")
        arguments = tuple(self._pop_to_mark())
        self._stack.append(Call(self._global(module, name), arguments))

    def make_object(self, _: object) -> None:
        made, *arguments = self._pop_to_mark()
        self._stack.append(Call(made, tuple(arguments)))

    def build(self, _: object) -> None:
        """State goes to a record; where it would set attributes of a class or a function, somebody means harm."""
        (state,) = self._pop(1)
        top = self._stack[-1]
        if not isinstance(top, Call):
            raise UNSAFE.failure(what="its pickle sets attributes of what it did not make")
        top.state = state

    def persistent(self, argument: object) -> None:
        record = Persistent(argument if argument is not None else self._pop(1)[0])
        self._outside.append(record)
        self._stack.append(record)


def _called(function: object, arguments: object) -> Call:
    if not isinstance(arguments, tuple):
        raise TypeError("arguments that are no tuple")
    return Call(function, arguments)


def _paired(items: list[object]) -> list[tuple[object, object]]:
    if len(items) % 2:
        raise ValueError("a key without a value")
    return list(zip(items[::2], items[1::2], strict=True))


_OTHERS: dict[str, Callable[[_Reader, object], None]] = {
    "MARK": _Reader.mark, "POP": _Reader.pop, "POP_MARK": _Reader.pop_mark, "DUP": _Reader.dup,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _Reader.put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _Reader.get),
    "TUPLE": _Reader.make_tuple, "LIST": _Reader.make_list, "DICT": _Reader.make_dict, "FROZENSET": _Reader.make_set,
    "APPEND": _Reader.append, "APPENDS": _Reader.extend, "ADDITEMS": _Reader.extend,
    "SETITEM": _Reader.set_item, "SETITEMS": _Reader.set_items,
    "GLOBAL": _Reader.look_up, "STACK_GLOBAL": _Reader.look_up_stack, "INST": _Reader.instance,
    "OBJ": _Reader.make_object,
    "REDUCE": _Reader.reduce, "NEWOBJ": _Reader.reduce, "NEWOBJ_EX": _Reader.new_with_keywords, "BUILD": _Reader.build,
    "PERSID": _Reader.persistent, "BINPERSID": _Reader.persistent,
}  # fmt: skip
