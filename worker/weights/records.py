"""What a pickle says, as records: names stay names, and what would be called is only written down."""

from dataclasses import dataclass, field

Pair = tuple[object, object]


@dataclass(frozen=True, slots=True)
class Global:
    """The name of a class or function; nobody looks it up."""

    module: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False, slots=True)
class Pairs:
    """A dict in the order of the file. Keys are never hashed: a deep or shared one would take for ever."""

    items: list[Pair] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Call:
    """What REDUCE, NEWOBJ, OBJ or INST would have made, with what the file then puts into it."""

    function: object
    arguments: tuple[object, ...]
    state: object = None
    elements: list[object] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Persistent:
    """What the file says lies outside of the pickle: torch's storages."""

    id: object


@dataclass(eq=False, slots=True)
class Members:
    """A set; members are not hashed either."""

    elements: list[object] = field(default_factory=list)


def pairs_of(value: object) -> list[Pair] | None:
    """Of a dict, or of one of the standard library's kinds of dict; None for anything else."""
    if isinstance(value, Pairs):
        return value.items
    if not isinstance(value, Call) or not isinstance(value.function, Global):
        return None
    if value.function.module != "collections" or value.function.name not in {"OrderedDict", "defaultdict", "Counter"}:
        return None
    first = value.arguments[0] if value.arguments else None
    given = first.items if isinstance(first, Pairs) else first if isinstance(first, list) else []
    # Python 2 gave an OrderedDict its pairs as lists of two.
    return [(pair[0], pair[1]) for pair in given if isinstance(pair, (list, tuple)) and len(pair) == 2] + value.pairs


def text_items(value: object) -> dict[str, object]:
    """The pairs whose keys are text, the last of each key; empty for what is no dict."""
    return {key: item for key, item in pairs_of(value) or [] if isinstance(key, str)}
