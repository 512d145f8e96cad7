"""The description of a model that comes from a registry: each field from whoever says it first."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from app.domain.problems.uploads import DESCRIPTION_INVALID
from app.domain.vocabulary import Origin
from app.errors import Unprocessable
from app.models.description import described_request
from app.models.missing import DESCRIBED, SAID
from app.models.request_fields import MAY_LACK, ModelDescription

Json = dict[str, Any]
Found = tuple[Origin, Json]
"""Who says it, and fields of a description."""
UNUSED = {
    "dataset": "Not used: what a model is audited on, policies and requests say, never its own files.",
    "policy": "Not used: which policy follows a version, the policy's own match says.",
}
"""Fields that a file may have, and why nothing follows from them."""


def described_import(said: Json, found: Iterable[Any]) -> tuple[ModelDescription, Json]:
    """What holds together, and by field who said so: the request first. Raises ValidationError."""
    fields: Json = {}
    origins: dict[str, str] = {}
    unused: Json = {}
    for origin, part in ((Origin.REQUEST, said), *found):
        for field, value in part.items():
            if field in UNUSED:
                unused.setdefault(field, {"value": value, "from": str(origin), "note": UNUSED[field]})
            elif field in SAID and field not in fields:
                fields[field], origins[field] = value, str(origin)
    request = ModelDescription.model_validate(fields, context=MAY_LACK)
    parts = {f"preprocessing.{name}": {"value": value} for name, value in request.parts.items()}
    for path, fact in parts.items():
        fact["from"] = str(request.told[path][0] if path in request.told else Origin.REQUEST)
    return request, _with_origins(described_request(request, DESCRIBED, request.told) | parts, origins) | unused


def check_found(part: Mapping[str, Any]) -> Json:
    """A description as a file tells it: fields of the CLI's ``--description``, of which those of a model count.

    Raises Unprocessable ``description-invalid``.
    """
    # The format is that of the file that was found, whatever was described.
    known = {"name", "version", "metadata", "tags", "format", *UNUSED}
    fields = {field: value for field, value in part.items() if field not in known}
    try:
        ModelDescription.model_validate(fields, context=MAY_LACK)
    except ValidationError as error:
        raise description_invalid(error) from error
    unused = {name: value[:200] for name in UNUSED if isinstance(value := part.get(name), str)}
    return fields | {name: value for name, value in unused.items() if value.isprintable()}


def description_invalid(error: ValidationError) -> Unprocessable:
    """Names the fields; what they hold is not repeated."""
    errors: list[dict[str, object]] = [
        {"loc": ["description", *fault["loc"]], "msg": fault["msg"]} for fault in error.errors()[:10]
    ]
    fields = ", ".join(dict.fromkeys(".".join(map(str, fault["loc"])) for fault in error.errors()[:10]))
    detail = DESCRIPTION_INVALID.detail(fields=fields)
    return Unprocessable(DESCRIPTION_INVALID.code, detail, errors=errors)


def _with_origins(description: Json, origins: Mapping[str, str]) -> Json:
    """What a config file completed is that file's, whoever said the rest of the object."""
    files = {Origin.CONFIG, Origin.PREPROCESSOR_CONFIG}
    return {
        name: fact if fact["from"] in files else fact | {"from": origins.get(name.partition(".")[0], fact["from"])}
        for name, fact in description.items()
    }
