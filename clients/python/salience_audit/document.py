"""What the service answers: a dict as the API shows it, whose fields have types."""

from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, Union, get_args, get_origin, get_type_hints

from salience_audit.shown import fields_table, rows_table

Json = dict[str, Any]
ROWS_SHOWN = 20


class Document(dict[str, Any]):
    """``audit["status"]`` and ``audit.status`` are the same; type checkers know the latter.

    A field that the service left out is None. Notebooks show a table.
    """

    SHOWN_FIRST: ClassVar[tuple[str, ...]] = ("name", "status", "verdict", "id")

    if not TYPE_CHECKING:  # who would else take every name for a field

        def __getattr__(self, name: str) -> Any:
            hints = _hints(type(self))
            if name not in hints:
                raise AttributeError(f"{type(self).__name__} has no {name!r}; it has {', '.join(hints)}")
            return _shaped(hints[name], self.get(name))

    def _repr_html_(self) -> str:
        """Its plain fields, then each list of documents."""
        first = [name for name in self.SHOWN_FIRST if name in self]
        names = [*first, *(name for name in self if name not in first)]
        plain = {name: self[name] for name in names if not isinstance(self[name], dict | list)}
        lists = {name: self[name] for name in names if _holds_documents(self[name])}
        tables = [rows_table(name, rows[:ROWS_SHOWN], _plain_columns(rows), len(rows)) for name, rows in lists.items()]
        return "\n".join([fields_table(type(self).__name__, plain), *tables])


@cache
def _hints(kind: type[Document]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not ClassVar}


def _shaped(hint: Any, value: Any) -> Any:
    """The value with the classes that the type names, however deep."""
    for kind in get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,):
        origin, parts = get_origin(kind) or kind, get_args(kind)
        if isinstance(value, list) and origin is list:
            return [_shaped(parts[0], one) for one in value]
        if isinstance(value, dict) and origin is dict:
            return {name: _shaped(parts[1], one) for name, one in value.items()}
        if isinstance(value, dict) and isinstance(origin, type) and issubclass(origin, Document):
            return origin(value)
    return value


def _holds_documents(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plain_columns(rows: list[Json]) -> list[str]:
    return [name for name, value in rows[0].items() if not isinstance(value, dict | list)]
