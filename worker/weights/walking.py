"""Finds the tensors in what a pickle holds: in dicts and lists of any depth, and in whole modules."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.refusals.weights import UNSAFE
from worker.weights.rebuilding import is_tensor
from worker.weights.records import Call, Global, Members, Pairs, Persistent, pairs_of, text_items

MAX_DEPTH = 200
MAX_VISITS = 200_000
"""Of containers; what is shared counts each time that it occurs."""
TORCHSCRIPT = "__torch__."

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleRecord:
    """A module that was pickled whole: its class, and the attributes that are plain values."""

    class_path: str
    attributes: dict[str, object]


@dataclass
class Findings:
    """By the path of keys and attributes: tensors, still as records, and modules."""

    tensors: dict[Path, object] = field(default_factory=dict)
    modules: dict[Path, ModuleRecord] = field(default_factory=dict)
    scripted: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    path: Path
    value: object
    depth: int
    above: "_Place | None"

    def is_cyclic(self) -> bool:
        place = self.above
        while place is not None:
            if place.value is self.value:
                return True
            place = place.above
        return False


def find_tensors(content: object) -> Findings:
    """Everything that torch would call a tensor or a module, wherever it is.

    Raises InputFailure ``model-unsafe`` where values are nested or shared beyond what files of weights have.
    """
    found = Findings()
    visits = 0
    waiting = [_Place((), content, 0, None)]
    plain_objects: set[int] = set()
    while waiting:
        place = waiting.pop()
        visits += 1
        if visits > MAX_VISITS or place.depth > MAX_DEPTH:
            raise UNSAFE.failure(what="its values are nested or shared without end")
        if is_tensor(place.value):
            found.tensors[place.path] = place.value
        elif not place.is_cyclic():
            waiting.extend(_inside(place, found, plain_objects))
    found.tensors = dict(reversed(found.tensors.items()))
    return found


def _inside(place: _Place, found: Findings, plain_objects: set[int]) -> Iterator[_Place]:
    for names, value in _children(place, found, plain_objects):
        if isinstance(value, (Pairs, Call, list, tuple, Members)):
            yield _Place(place.path + names, value, place.depth + 1, place)


def _children(place: _Place, found: Findings, plain_objects: set[int]) -> Iterator[tuple[Path, object]]:
    value = place.value
    pairs = pairs_of(value)
    if pairs is not None:
        # As in a dict, the last of equal keys counts.
        named = {str(key): item for key, item in pairs if isinstance(key, str) or _is_index(key)}
        yield from (((key,), item) for key, item in named.items())
    elif isinstance(value, (list, tuple)):
        yield from (((str(number),), item) for number, item in enumerate(value))
    elif isinstance(value, Call):
        state = text_items(_state(value))
        if "_modules" in state and "_parameters" in state:
            found.modules[place.path] = ModuleRecord(class_path(value), _plain(state))
            yield from _of_module(state)
        elif class_path(value).startswith(TORCHSCRIPT):
            found.scripted = True
            found.modules[place.path] = ModuleRecord(class_path(value), _plain(state))
            yield from (((name,), item) for name, item in state.items())
        elif id(value) not in plain_objects:
            plain_objects.add(id(value))
            yield from (((name,), item) for name, item in state.items())


def _is_index(key: object) -> bool:
    return isinstance(key, int) and 0 <= key < 2**63


def _of_module(state: dict[str, object]) -> Iterator[tuple[Path, object]]:
    """As ``state_dict()`` names them."""
    skipped = state.get("_non_persistent_buffers_set")
    left_out = skipped.elements if isinstance(skipped, Members) else _listed(skipped)
    for group in ("_parameters", "_buffers", "_modules"):
        for name, item in text_items(state[group]).items() if group in state else ():
            if group != "_buffers" or name not in [skip for skip in left_out if isinstance(skip, str)]:
                yield (name,), item


def _listed(value: object) -> list[object]:
    """A set as protocol 2 writes it: a call of ``set`` with a list."""
    if isinstance(value, Call) and value.arguments and isinstance(value.arguments[0], list):
        return value.arguments[0]
    return []


def _state(call: Call) -> object:
    """Of ``(dict, slots)``, the dict; objects that copyreg makes anew carry it likewise."""
    state = call.state
    return state[0] if isinstance(state, tuple) and len(state) == 2 else state


def _plain(state: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in state.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, (tuple, list)):
        return len(value) <= 16 and all(isinstance(item, (int, float, str)) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def class_path(call: Call) -> str:
    """Of the class that the record would be made of; torch's old pickles keep the class outside, with its source."""
    made = call.function
    if (
        isinstance(made, Global)
        and made.path in {"copy_reg._reconstructor", "copyreg._reconstructor"}
        and call.arguments
    ):
        made = call.arguments[0]
    if isinstance(made, Persistent) and isinstance(made.id, tuple) and len(made.id) >= 2:
        made = made.id[1]
    return made.path if isinstance(made, Global) else ""
