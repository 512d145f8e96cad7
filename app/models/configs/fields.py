"""What a file says of a model, in the fields of a registration; and what it says that cannot be said there."""

from dataclasses import dataclass, field
from typing import Any

from app.domain.refusals.refusal import Refusal
from app.errors import Unprocessable

Json = dict[str, Any]


@dataclass(frozen=True)
class Unsaid:
    """What a registration has no words for; refused unless the request itself says the field."""

    refusal: Refusal
    place: tuple[str, ...]
    facts: dict[str, object] = field(default_factory=dict)

    def error(self) -> Unprocessable:
        name = ".".join(self.place)
        detail = self.refusal.detail(field=name, **self.facts)
        errors: list[dict[str, object]] = [{"loc": ["body", *self.place], "msg": detail}]
        return Unprocessable(self.refusal.code, detail, errors=errors)


@dataclass(frozen=True)
class Said:
    """``values`` nest as a registration does; where one is ``Unsaid``, the file asks for what cannot be had.

    ``notes`` tell of a field, by its path in the model's description, what its value does not.
    """

    values: Json
    notes: dict[str, str] = field(default_factory=dict)


def under(request: Json, said: Json) -> tuple[Json, set[str]]:
    """The request with what a file says of the fields that it leaves out, and the paths of those.

    Raises Unprocessable where one of them cannot be had.
    """
    whole, taken = dict(request), set[str]()
    for name, value in said.items():
        given = request.get(name)
        if isinstance(value, dict) and isinstance(given, dict | None):
            whole[name], inner = under(given or {}, value)
            taken |= {f"{name}.{key}" for key in inner}
        elif given is None:
            if isinstance(value, Unsaid):
                raise value.error()
            whole[name] = value
            taken.add(name)
    return whole, taken
