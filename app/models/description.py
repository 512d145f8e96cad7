"""What is known of a model, field by field, with who said it: the request, the file, or nobody (then it is assumed)."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.domain.models.fidelity import Fidelity, FidelityStatus
from app.domain.vocabulary import Origin
from app.models.configs.reading import Told

Json = dict[str, Any]


class Described(BaseModel):
    """A field's value and where it is from."""

    model_config = ConfigDict(populate_by_name=True)

    value: Any
    origin: Origin = Field(
        alias="from",
        description="`request`, `default` of this service, `file` (the weights), `config.json`, "
        "`preprocessor_config.json`; or `assumed`: nobody said so, and it may be wrong, "
        "until predictions of the owner's own code agree: `reference`.",
    )
    note: str | None = Field(None, description="Why, where the value does not say it by itself.")


def described(stored: Json, fidelity: Fidelity | None) -> dict[str, Described]:
    """By field. What was assumed is settled where the owner's own predictions came out right with it."""
    facts = {name: Described.model_validate(fact) for name, fact in stored.items()}
    if fidelity is None or fidelity.status is not FidelityStatus.VERIFIED:
        return facts
    settled = {"origin": Origin.REFERENCE}
    return {
        name: fact.model_copy(update=settled) if fact.origin is Origin.ASSUMED else fact for name, fact in facts.items()
    }


def described_request(request: BaseModel, fields: tuple[str, ...], told: Told) -> Json:
    """The fields of a registration that bear on what the model computes; those of an object by ``object.field``.

    ``told`` says which of them are from a file.
    """
    facts = dict(_described(request, fields))
    for path, (origin, note) in told.items():
        if path in facts:
            facts[path] |= {"from": origin.value} | ({"note": note} if note else {})
    return facts


def _described(request: BaseModel, fields: tuple[str, ...], prefix: str = "") -> Iterator[tuple[str, Json]]:
    for name in fields:
        value = getattr(request, name)
        if isinstance(value, BaseModel):
            yield from _described(value, tuple(type(value).model_fields), f"{prefix}{name}.")
        elif isinstance(value, dict):
            said = {"from": Origin.REQUEST.value}
            yield from ((f"{prefix}{name}.{key}", {"value": one} | said) for key, one in value.items())
        elif value is not None and value != []:
            origin = Origin.REQUEST if name in request.model_fields_set else Origin.DEFAULT
            shown = request.model_dump(mode="json", include={name})[name]
            yield f"{prefix}{name}", {"value": shown, "from": origin.value}
